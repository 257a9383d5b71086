"""References of a pipeline: ``${int8.variant}`` stands for a result, a variable, a cell."""

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
"""What a reference can begin with beside the id of a step."""

EVERY = "*"
"""``${int8.*.variant}``: the values of all cells of a step, as a list."""


def references(value: object) -> Iterator[str]:
    """The dotted paths that a value refers to, each as it is written."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from references(item)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from references(item)
    elif isinstance(value, str):
        yield from (match.group(1) for match in _ANY.finditer(value))


def is_reference(value: object) -> bool:
    """Whether a value has a reference in it."""
    return next(references(value), None) is not None


def is_well_formed(dotted: str) -> bool:
    """Whether a path is spelled as one."""
    return REFERENCE.fullmatch(f"${{{dotted}}}") is not None and all(dotted.split("."))


def head(dotted: str) -> str:
    """What a path begins with: a step's id, or one of ``WORDS``."""
    return dotted.partition(".")[0]


def is_of_every_cell(dotted: str) -> bool:
    """Whether it means all cells of a step."""
    return dotted.split(".")[1:2] == [EVERY]


def renamed(value: JsonValue, names: Mapping[str, str]) -> JsonValue:
    """A value whose references to some steps, by their ids, lead to others."""
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
    """A value with what a matrix says in this cell; the type is kept where it stands alone."""
    if isinstance(value, list | tuple):
        return [with_cell(item, cell) for item in value]
    if not isinstance(value, str):
        return value
    found = {f"{MATRIX}.{axis}": one for axis, one in cell.items()}
    whole = REFERENCE.fullmatch(value)
    if whole and whole.group(1) in found:
        return found[whole.group(1)]
    return REFERENCE.sub(lambda m: str(found.get(m.group(1), m.group(0))), value)


def substitute(value: JsonValue, results: Mapping[str, JsonValue]) -> JsonValue:
    """Put results in the place of references.

    A text that is one reference takes the value's own type; inside a longer text it becomes text.
    A reference to every cell within a list adds its values to that list.

    Raises:
        UsageError: when a reference leads nowhere.
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
    """The value at a dotted path (``int8.metric.drop``, ``profile.verdicts.0.ratio``).

    Raises:
        UsageError: when it leads nowhere.
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
