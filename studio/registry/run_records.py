"""The journal of a pipeline's run as frozen values: steps, gates, and what was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from studio.documents.dataclass_json import JsonValue, from_json, optional

RUNNING, INTERRUPTED = "running", "interrupted"

DONE = ("succeeded", "unchanged")
"""States of a step that has a result."""


@dataclass(frozen=True, slots=True)
class Product:
    """Names in a step's result that lead to the store; empty where it has none.

    Attributes:
        variant: Number of the variant that it made.
        bundle: Folder of the bundle.
        digest: Digest of the bundle's manifest.
    """

    variant: int | None = None
    bundle: str = ""
    digest: str = ""

    @classmethod
    def of(cls, result: Mapping[str, JsonValue]) -> Product:
        """Return the product of a result, whatever step it is of."""
        variant, texts = result.get("variant"), (result.get("bundle"), result.get("digest"))
        number = variant if isinstance(variant, int) else None
        return cls(number, *(text if isinstance(text, str) else "" for text in texts))


@dataclass(frozen=True, slots=True)
class StepReport:
    """What became of a step.

    Attributes:
        state: ``succeeded``, ``unchanged`` (its result was kept from a run with the same inputs),
            ``failed`` or ``not run``.
        key: Digest of its inputs; empty for a step whose result is never kept.
        kept_from: The run whose result was taken.
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
        """Whether there is a result."""
        return self.state in DONE

    @property
    def product(self) -> Product:
        """What its result names in the store."""
        return Product.of(self.result)


@dataclass(frozen=True, slots=True)
class GateReport:
    """Whether a gate was met.

    Attributes:
        value: None when its step was not run, or does not say it.
        kind: Which figure it is about.
        text: What the value is of, or why there is none.
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
    """A version that an alias has come to stand for, as ``${trigger...}`` knows it."""

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
        recipe: The head under its former key, until 0.3.
        folder: Where relative paths of the pipeline start.
        variables: Values that were asked for, as texts.
        values: Values of all variables that are not secret.
        trigger: Facts for ``${trigger...}``; empty for a run that nothing triggered.
        resumed: Moments at which it was taken up again.
        state: ``running``, ``succeeded``, ``failed``, ``gate not met``, ``cancelled`` or
            ``interrupted``: its process ended in the middle.
        intent: For each rollback, the release that its target served before.
        artefacts: Digests of what was made; None before the end.
    """

    format: int = 1
    id: str = ""
    pipeline: PipelineHead | None = optional()
    recipe: PipelineHead | None = optional()
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
    def head(self) -> PipelineHead:
        """The head of the pipeline, also of a journal with the former key."""
        return self.pipeline or self.recipe or PipelineHead()

    @property
    def new_version(self) -> NewVersion | None:
        """The version whose arrival started the run; None for a run that nothing triggered."""
        return from_json(NewVersion, self.trigger) if self.trigger else None
