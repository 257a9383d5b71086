"""Parser of pipelines: all keys, values and references are checked, errors have a position."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from studio.api import Kind, Option, UsageError
from studio.documents.dataclass_json import JsonValue, from_json
from studio.documents.toml_text import Path as Place
from studio.documents.toml_text import TomlText, no_such
from studio.lazy_dataclass import dataclass
from studio.pipelines.gates import read_gate
from studio.pipelines.matrix import Matrix
from studio.pipelines.order import Cycle, ordered
from studio.pipelines.pipeline import Gate, Pipeline, PipelineStep, PipelineTables
from studio.pipelines.references import (
    MATRIX,
    RUN,
    TRIGGER,
    VARS,
    WORDS,
    head,
    is_of_every_cell,
    is_reference,
    is_well_formed,
    references,
)
from studio.pipelines.result_keys import impossible_key
from studio.pipelines.variables import resolve
from studio.settings import full_path
from studio.steps.catalogue import steps as catalogue


@dataclass(frozen=True, slots=True)
class _Head:
    """The table with the name of a pipeline."""

    name: str = ""
    title: str = ""
    description: str = ""


HEAD = tuple(one.name for one in fields(_Head))

OWN = ("id", "step", "after", "fresh")
"""Keys of a step's table that are no options."""

RUN_KEYS = ("id", "folder", "gates")
"""Keys of ``${run...}``, the facts of the running pipeline."""

_HEAD = "pipeline"
_TABLES = (_HEAD, "vars", "matrix", "steps", "gates")

_ID = re.compile(r"[\w-]+")


def read_pipeline(
    path: Path,
    given: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Pipeline:
    """Read and check the file of a pipeline.

    Args:
        given: Values of variables, as texts.
        environment: Environment variables; by default those of this process.

    Raises:
        UsageError: in one sentence with the file, the position, and the error.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist.", hint="Choose another pipeline.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not a pipeline: it is no text in UTF-8.") from None
    return parse_pipeline(text, path.name, full_path(path).parent, given, environment)


def parse_pipeline(
    text: str,
    name: str,
    folder: Path,
    given: Mapping[str, str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Pipeline:
    """Parse and check the text of a pipeline.

    Args:
        name: File name in messages.
        folder: Base of relative paths.

    Raises:
        UsageError: as ``read_pipeline``.
    """
    source = TomlText.read(text, name)
    _check_tables(source)
    tables = from_json(PipelineTables, source.values)
    variables = resolve(
        source, tables.vars, given or {}, os.environ if environment is None else environment
    )
    axes = _axes(source, tables.matrix)
    written = _steps(source, tables.steps)
    gates = [_from_folder(read_gate(source, one, n), folder) for n, one in enumerate(tables.gates)]
    # References are checked as written, so that errors show the line of the user's text.
    _check_references(source, written, gates, variables.values, axes)
    matrix = Matrix(axes, written)
    all_gates = matrix.gates(gates)
    head = from_json(_Head, source.values[_HEAD])
    return Pipeline(
        name=head.name,
        title=head.title or head.name,
        folder=folder,
        steps=_in_order(source, matrix, all_gates),
        gates=all_gates,
        variables=variables.values,
        cells=matrix.cells,
        given=dict(given or {}),
        secret=variables.secret,
        source=source,
    )


def _from_folder(gate: Gate, folder: Path) -> Gate:
    """Resolve the file that a gate names against the pipeline's folder."""
    files = {
        key: str(folder / value)
        for key, value in gate.settings.items()
        if key == "signers" and isinstance(value, str) and not is_reference(value)
    }
    return replace(gate, settings={**gate.settings, **files})


def _check_tables(source: TomlText) -> None:
    for key, value in source.values.items():
        if key not in _TABLES:
            raise source.unknown(_TABLES, key)
        wanted = list if key in ("steps", "gates") else dict
        if not isinstance(value, wanted):
            spelled = f"[[{key}]]" if wanted is list else f"[{key}]"
            raise source.wrong(f"{key!r} is a table: {spelled}.", key)
    found = source.values.get(_HEAD)
    if found is None:
        raise UsageError(f"{source.where()} is not a pipeline: the table [pipeline] is missing.")
    for key, value in found.items():
        if key not in HEAD:
            raise source.unknown(HEAD, _HEAD, key)
        if not isinstance(value, str):
            raise source.wrong(f"{key!r} is a text, not {value!r}.", _HEAD, key)
    if not from_json(_Head, found).name:
        raise source.wrong("the pipeline needs a 'name'.", _HEAD)
    if not from_json(PipelineTables, source.values).steps:
        raise UsageError(f"{source.where()} is not a pipeline: it has no steps ([[steps]]).")


def _axes(source: TomlText, matrix: Mapping[str, object]) -> dict[str, list[JsonValue]]:
    axes = {}
    for axis, values in matrix.items():
        if not (
            isinstance(values, list)
            and values
            and all(isinstance(value, str | int | float) for value in values)
        ):
            reason = f"the axis {axis!r} is a list of values, not {values!r}."
            raise source.wrong(reason, "matrix", axis)
        # Two cells of one value would have the same id.
        axes[axis] = list(dict.fromkeys(values))
    return axes


def _steps(source: TomlText, tables: Iterable[object]) -> list[PipelineStep]:
    found: list[PipelineStep] = []
    for number, table in enumerate(tables):
        step = _step(source, table, number)
        if any(one.id == step.id for one in found):
            reason = f"two steps are called {step.id!r}."
            key: Place = ("id",) if "id" in step.written else ()
            raise source.wrong(reason, "steps", number, *key)
        found.append(step)
    return found


@dataclass(frozen=True, slots=True)
class _StepTable:
    """The keys of a step's table that are no options, unchecked."""

    step: object = None
    id: object = None
    fresh: object = False
    after: object = ()


def _step(source: TomlText, table: object, number: int) -> PipelineStep:
    place: Place = ("steps", number)
    if not isinstance(table, Mapping):
        raise source.wrong("a step is a table: [[steps]].", *place)
    own = from_json(_StepTable, table)
    name = own.step
    if name is None:
        raise source.wrong("this step does not say which 'step' it is.", *place)
    if not isinstance(name, str) or name not in catalogue():
        raise _nearest(source, str(name), catalogue(), "step", (*place, "step"))
    identifier = f"{name}-{number + 1}" if own.id is None else own.id
    if not isinstance(identifier, str) or not _ID.fullmatch(identifier) or identifier in WORDS:
        reason = f"{identifier!r} cannot be the id of a step; it is made of letters, digits, -, _."
        raise source.wrong(reason, *place, "id")
    if not isinstance(own.fresh, bool):
        raise source.wrong(f"'fresh' is true or false, not {own.fresh!r}.", *place, "fresh")
    return PipelineStep(
        id=identifier,
        step=name,
        options=_options(source, table, place, name),
        after=_after(source, own.after, place),
        fresh=own.fresh,
        origin=identifier,
        place=place,
        written=table,
    )


def _after(source: TomlText, after: object, place: Place) -> tuple[str, ...]:
    names = [after] if isinstance(after, str) else after
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise source.wrong(f"'after' is a list of ids, not {after!r}.", *place, "after")
    return tuple(names)


def _options(
    source: TomlText, table: Mapping[str, object], place: Place, name: str
) -> dict[str, Any]:
    options = catalogue()[name].form
    known = {option.name: option for option in options}
    found: dict[str, Any] = {}
    for key, value in table.items():
        if key in OWN:
            continue
        word = key.replace("-", "_")
        option = known.get(word)
        if option is None:
            raise source.unknown([*OWN, *(one.name for one in options)], *place, key)
        # With dashes and with underscores, both may be written.
        if option.name in found:
            reason = f"{key!r} and {option.name!r} are the same option; keep one."
            raise source.wrong(reason, *place, key)
        _check_value(source, option, value, (*place, key))
        found[option.name] = value
    for option in options:
        if option.required and not option.project and option.name not in found:
            reason = f"the step {name!r} needs the key {option.name!r}."
            raise source.wrong(reason, *place, hint=option.help)
    return found


def _check_value(source: TomlText, option: Option, value: object, place: Place) -> None:
    """Check a value as far as possible before the references are known."""
    values = value if isinstance(value, list) else [value]
    if isinstance(value, list) and not option.many:
        raise source.wrong(f"{place[-1]!r} is one value, not a list.", *place)
    for one in values:
        if is_reference(one):
            continue
        if not isinstance(one, str | int | float | bool):
            raise source.wrong(f"{place[-1]!r} cannot be {one!r}.", *place)
        _check_one(source, option, one, place)


def _check_one(source: TomlText, option: Option, value: object, place: Place) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    texts = option.kind not in (Kind.INTEGER, Kind.NUMBER, Kind.FLAG, Kind.TEXT, Kind.CHOICE)
    # A model may also be given by its number.
    if (number or isinstance(value, bool)) and texts and option.kind is not Kind.MODEL:
        raise source.wrong(f"{place[-1]!r} is a text, not {value!r}.", *place)
    if option.kind in (Kind.INTEGER, Kind.NUMBER) and not number:
        raise source.wrong(f"{place[-1]!r} is a number, not {value!r}.", *place)
    try:
        option.check([value] if option.many else value)
    except UsageError as error:
        reason = error.message[:1].lower() + error.message[1:]
        raise source.wrong(reason, *place, hint=error.hint) from None


def _check_references(
    source: TomlText,
    steps: Sequence[PipelineStep],
    gates: Iterable[Gate],
    variables: Mapping[str, JsonValue],
    axes: Mapping[str, object],
) -> None:
    ids = {step.id: step.step for step in steps}
    names = {VARS: list(variables), MATRIX: list(axes)}

    def check(value: object, place: Place) -> None:
        for dotted in references(value):
            _check_reference(source, dotted, ids, names, place)
            _check_key(source, dotted, ids, place)

    for step in steps:
        for key, value in step.written.items():
            check(value, (*step.place, key))
        for name in step.after:
            if name not in ids:
                raise _no_step(source, name, ids, (*step.place, "after"))
    for gate in gates:
        check(gate.value, (*gate.place, "value"))
        for key, value in gate.settings.items():
            check(value, (*gate.place, key))
        if gate.of and gate.of not in ids:
            raise _no_step(source, gate.of, ids, (*gate.place, "of"))


def _check_reference(
    source: TomlText,
    dotted: str,
    ids: Iterable[str],
    names: Mapping[str, Sequence[str]],
    place: Place,
) -> None:
    if not is_well_formed(dotted):
        raise source.wrong(f"the reference ${{{dotted}}} is not spelled as one.", *place)
    first, second = head(dotted), ([*dotted.split("."), ""])[1]
    if first in names and second not in names[first]:
        what = "variable" if first == VARS else "axis of the matrix"
        raise _nearest(source, second, names[first], what, place)
    if first == RUN and second not in RUN_KEYS:
        raise _nearest(source, second, RUN_KEYS, "word of ${run...}", place)
    if first not in (*WORDS, *ids):
        raise _no_step(source, first, ids, place)
    if first not in (*names, RUN, TRIGGER) and not second:
        raise source.wrong(f"${{{dotted}}} does not say which result of it is meant.", *place)
    if is_of_every_cell(dotted) and first in WORDS:
        raise source.wrong(f"the reference ${{{dotted}}} is not spelled as one.", *place)


def _check_key(source: TomlText, dotted: str, ids: Mapping[str, str], place: Place) -> None:
    """Refuse a reference to a key that the step's result never has."""
    first, *path = dotted.split(".")
    if is_of_every_cell(dotted):
        path = path[1:]
    form = catalogue()[ids[first]].result if first in ids else None
    missing = impossible_key(form, path) if form is not None else None
    if missing is not None:
        what = f"result of {ids[first]!r} with the key"
        raise _nearest(source, missing.key, missing.known, what, place)


def _no_step(source: TomlText, name: str, ids: Iterable[str], place: Place) -> UsageError:
    return _nearest(source, name, ids, "step with the id", place)


def _nearest(
    source: TomlText, name: str, known: Iterable[str], what: str, place: Place
) -> UsageError:
    """Return the error for an unknown name, with the most similar one."""
    reason, hint = no_such(name, known, what)
    return source.wrong(reason, *place, hint=hint)


def _in_order(source: TomlText, matrix: Matrix, gates: Sequence[Gate]) -> tuple[PipelineStep, ...]:
    try:
        return ordered(matrix.steps, gates, matrix.cells)
    except Cycle as cycle:
        origins = {step.id: step.origin for step in matrix.steps}
        first = next(step for step in matrix.steps if step.id == cycle.ids[0])
        circle = ", which waits for ".join(repr(origins[name]) for name in cycle.ids[1:])
        reason = f"a cycle: {first.origin!r} waits for {circle}."
        raise source.wrong(reason, *first.place) from None
