"""The journal of a pipeline run as frozen dataclasses: steps, gates, artifacts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from studio.documents.dataclass_json import JsonValue, from_json, optional
from studio.lazy_dataclass import dataclass

RUNNING, INTERRUPTED = "running", "interrupted"

DONE = ("succeeded", "unchanged")
"""States of a step with a result."""


@dataclass(frozen=True, slots=True)
class Product:
    """The artifacts in a step's result; empty fields for a result without them.

    Attributes:
        variant: Number of the variant that the step created.
        bundle: Folder of the bundle.
        digest: Digest of the bundle's manifest.
    """

    variant: int | None = None
    bundle: str = ""
    digest: str = ""

    @classmethod
    def of(cls, result: Mapping[str, JsonValue]) -> Product:
        """Return the product of a step's result."""
        variant, texts = result.get("variant"), (result.get("bundle"), result.get("digest"))
        number = variant if isinstance(variant, int) else None
        return cls(number, *(text if isinstance(text, str) else "" for text in texts))


@dataclass(frozen=True, slots=True)
class StepReport:
    """The outcome of a step.

    Attributes:
        state: ``succeeded``, ``unchanged`` (a cached result of a run with the same inputs),
            ``failed`` or ``not run``.
        key: Digest of its inputs; empty for a step without a cache.
        kept_from: Run of the cached result.
    """

    id: str
    step: str
    state: str = "not run"
    seconds: float = 0.0
    result: Mapping[str, JsonValue] = field(default_factory=dict)
    message: str = ""
    hint: str = ""
    key: str = ""
    kept_from: str = ""

    @property
    def done(self) -> bool:
        """Whether the step has a result."""
        return self.state in DONE

    @property
    def product(self) -> Product:
        """The artifacts of its result."""
        return Product.of(self.result)


@dataclass(frozen=True, slots=True)
class GateReport:
    """The outcome of a gate.

    Attributes:
        value: Evaluated value; None if the step did not run, or its result lacks the value.
        kind: Kind of the gate.
        text: Description of the value, or the reason for a missing one.
    """

    name: str
    passed: bool
    value: float | None
    limit: str
    kind: str = "value"
    text: str = ""


@dataclass(frozen=True, slots=True)
class PipelineHead:
    """The name, title and file of a pipeline."""

    name: str = ""
    title: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version that an alias has moved to, with the fields of ``${trigger...}``."""

    model: str
    alias: str
    version: int | str
    variant: int
    bundle: str
    registry: str = ""


@dataclass(frozen=True, slots=True)
class RunJournal:
    """The record of a run.

    Attributes:
        folder: Base of relative paths in the pipeline.
        variables: Values that the user gave, as texts.
        values: Values of all variables that are not secret.
        trigger: Facts for ``${trigger...}``; empty for a run that nothing triggered.
        resumed: Times at which it was resumed.
        state: ``running``, ``succeeded``, ``failed``, ``gate not met``, ``cancelled`` or
            ``interrupted``: its process ended in the middle.
        intent: Release of the target before each rollback.
        artefacts: Digests of the artifacts; None before the end.
    """

    format: int = 1
    id: str = ""
    pipeline: PipelineHead = PipelineHead()
    folder: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, JsonValue] = field(default_factory=dict)
    trigger: Mapping[str, JsonValue] = field(default_factory=dict)
    fresh: bool = False
    started: str = ""
    resumed: tuple[str, ...] = ()
    ended: str | None = None
    state: str = INTERRUPTED
    machine: str = ""
    process: int = 0
    tools: Mapping[str, JsonValue] = field(default_factory=dict)
    steps: tuple[StepReport, ...] = ()
    gates: tuple[GateReport, ...] = ()
    intent: Mapping[str, str] = field(default_factory=dict)
    exit_code: int | None = optional()
    artefacts: Mapping[str, str] | None = optional()

    @property
    def new_version(self) -> NewVersion | None:
        """The version that triggered the run; None without a trigger."""
        return from_json(NewVersion, self.trigger) if self.trigger else None
