"""A pipeline: steps with their options, and gates on their results, as a TOML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from studio.documents.dataclass_json import JsonValue
from studio.documents.toml_text import Path as Place
from studio.documents.toml_text import TomlText


@dataclass(frozen=True, slots=True)
class PipelineTables:
    """The tables of a pipeline's text beside the one that names it."""

    vars: Mapping[str, object] = field(default_factory=dict)
    matrix: Mapping[str, object] = field(default_factory=dict)
    steps: tuple[object, ...] = ()
    gates: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class PipelineStep:
    """One line of the pipeline: an id, the step's name, and its options as written.

    Attributes:
        after: Ids of the steps that must have been run before.
        fresh: Run it also when a kept result could be taken.
        cell: What the matrix says where the step stands in one.
        origin: Its id as written, without the cell.
        written: Its table in the text, and ``place`` where that stands.
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
    """A limit on a result.

    Attributes:
        kind: Which figure it is about (see ``gates.KINDS``).
        of: The id of the step whose result is judged.
        value: A reference (``${int8.metric.drop}``), for the kind ``value``.
        settings: What the kind takes beside these.
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
    """What is to be done, in an order in which it can be.

    Attributes:
        folder: Relative paths of the options start here.
        cells: The ids that stand for a step which the matrix made several of.
        given: The variables' values that were asked for, as texts.
        secret: Names of variables that come from the environment; their values are not written.
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
