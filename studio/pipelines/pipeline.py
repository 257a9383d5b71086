"""A pipeline: steps with their options, and gates on their results, as a TOML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from studio.documents.dataclass_json import JsonValue
from studio.documents.toml_text import Path as Place
from studio.documents.toml_text import TomlText
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class PipelineTables:
    """The tables of a pipeline's text besides its head."""

    vars: Mapping[str, object] = field(default_factory=dict)
    matrix: Mapping[str, object] = field(default_factory=dict)
    steps: tuple[object, ...] = ()
    gates: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class PipelineStep:
    """A step of a pipeline: its id, its name, and its options as written.

    Attributes:
        after: Ids of steps that must run before it.
        fresh: Whether it runs even if its result is cached.
        cell: Values of the matrix for this step.
        origin: Its id without the cell.
        written: Its table in the text, at the position ``place``.
    """

    id: str
    step: str
    options: Mapping[str, JsonValue]
    after: tuple[str, ...] = ()
    fresh: bool = False
    cell: Mapping[str, JsonValue] = field(default_factory=dict)
    origin: str = ""
    place: Place = ()
    written: Mapping[str, object] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class Gate:
    """A limit on a value of a result.

    Attributes:
        kind: Kind of the value (see ``gates.KINDS``).
        of: Id of the step with the result.
        value: A reference (``${int8.metric.drop}``), for the kind ``value``.
        settings: Settings of the kind.
    """

    name: str
    value: str = ""
    minimum: float | None = None
    maximum: float | None = None
    kind: str = "value"
    of: str = ""
    settings: Mapping[str, JsonValue] = field(default_factory=dict)
    cell: Mapping[str, JsonValue] = field(default_factory=dict)
    place: Place = ()


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A checked pipeline, with its steps in an executable order.

    Attributes:
        folder: Base of relative paths in options.
        cells: Ids of the expanded steps, by the original id.
        given: Values that the user gave for variables, as texts.
        secret: Names of variables from the environment; their values are not written.
    """

    name: str
    title: str
    folder: Path
    steps: tuple[PipelineStep, ...]
    gates: tuple[Gate, ...] = ()
    variables: Mapping[str, JsonValue] = field(default_factory=dict)
    cells: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    secret: frozenset[str] = frozenset()
    source: TomlText = field(default=TomlText("the pipeline", "", {}), repr=False, compare=False)
