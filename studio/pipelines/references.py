"""References of a pipeline, such as ``${int8.variant}``: to results, variables and cells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from studio.api import UsageError
from studio.documents.dataclass_json import JsonValue

REFERENCE = re.compile(r"\$\{([\w.\-*@]+)\}")
_ANY = re.compile(r"\$\{([^}]*)\}?")

VARS, MATRIX, RUN, TRIGGER = "vars", "matrix", "run", "trigger"
WORDS = (VARS, MATRIX, RUN, TRIGGER)
"""First parts of a reference other than ids of steps."""

EVERY = "*"
"""``${int8.*.variant}``: the values of all cells of a step, as a list."""


def references(value: object) -> Iterator[str]:
    """Yield the dotted paths of a value's references, as written."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from references(item)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from references(item)
    elif isinstance(value, str):
        yield from (match.group(1) for match in _ANY.finditer(value))


def is_reference(value: object) -> bool:
    """Return whether a value contains a reference."""
    return next(references(value), None) is not None


def is_well_formed(dotted: str) -> bool:
    """Return whether a path is well-formed."""
    return REFERENCE.fullmatch(f"${{{dotted}}}") is not None and all(dotted.split("."))


def head(dotted: str) -> str:
    """Return the first part of a path: a step's id, or one of ``WORDS``."""
    return dotted.partition(".")[0]


def is_of_every_cell(dotted: str) -> bool:
    """Return whether a path means all cells of a step."""
    return dotted.split(".")[1:2] == [EVERY]


def renamed(value: JsonValue, names: Mapping[str, str]) -> JsonValue:
    """Replace the ids of some steps in a value's references."""
    if isinstance(value, list | tuple):
        return [renamed(item, names) for item in value]
    if not isinstance(value, str):
        return value

    def other(match: re.Match[str]) -> str:
        first, dot, rest = match.group(1).partition(".")
        if rest.partition(".")[0] == EVERY or first not in names:
            return match.group(0)
        return f"${{{names[first]}{dot}{rest}}}"

    return REFERENCE.sub(other, value)


def with_cell(value: JsonValue, cell: Mapping[str, JsonValue]) -> JsonValue:
    """Replace the references to the matrix; a single reference keeps the type of its value."""
    if isinstance(value, list | tuple):
        return [with_cell(item, cell) for item in value]
    if not isinstance(value, str):
        return value
    found = {f"{MATRIX}.{axis}": one for axis, one in cell.items()}
    whole = REFERENCE.fullmatch(value)
    # A value that is a single reference keeps its type, so a number stays a number.
    if whole and whole.group(1) in found:
        return found[whole.group(1)]
    return REFERENCE.sub(lambda m: str(found.get(m.group(1), m.group(0))), value)


def substitute(value: JsonValue, results: Mapping[str, JsonValue]) -> JsonValue:
    """Replace references by their values.

    A text that is a single reference becomes a value with its type; within a longer text it becomes
    text. In a list, a reference to all cells adds each value.

    Raises:
        UsageError: when a reference does not exist.
    """
    if isinstance(value, list | tuple):
        found: list[JsonValue] = []
        for item in value:
            one = substitute(item, results)
            spread = isinstance(item, str) and any(map(is_of_every_cell, references(item)))
            found += one if spread and isinstance(one, list) else [one]
        return found
    if not isinstance(value, str):
        return value
    whole = REFERENCE.fullmatch(value)
    if whole:
        return look_up(whole.group(1), results)
    return REFERENCE.sub(lambda match: str(look_up(match.group(1), results)), value)


def look_up(dotted: str, results: Mapping[str, JsonValue]) -> JsonValue:
    """Return the value at a dotted path (``int8.metric.drop``, ``profile.verdicts.0.ratio``).

    Raises:
        UsageError: when the path does not exist.
    """
    first, _, rest = dotted.partition(".")
    if is_of_every_cell(dotted):
        cells = results.get(first)
        if not isinstance(cells, list):
            raise _unknown(dotted)
        tail = rest.partition(".")[2]
        return [_within(cell, tail, dotted) for cell in cells]
    if first not in results:
        raise _unknown(dotted)
    return _within(results[first], rest, dotted)


def _within(value: Any, path: str, dotted: str) -> JsonValue:
    for part in path.split(".") if path else ():
        try:
            value = value[int(part)] if isinstance(value, list | tuple) else value[part]
        except (KeyError, IndexError, TypeError, ValueError):
            raise _unknown(dotted) from None
    found: JsonValue = value
    return found


def _unknown(dotted: str) -> UsageError:
    return UsageError(f"The pipeline refers to ${{{dotted}}}, which is not known.")
