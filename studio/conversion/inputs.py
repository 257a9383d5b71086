"""The inputs as the user wants them: shapes, types, open axes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from studio.api import InputSpec, UsageError
from studio.models.shapes import parse

ONLY = "*"
"""Name of the only input of a model, whose shape was given without a name."""

_TYPES = frozenset(
    {"float16", "float32", "float64", "int8", "uint8", "int16", "int32", "int64", "bool"}
)
_AXIS = re.compile(r"[A-Za-z]\w*")
_KEPT = re.compile(r"_|\d+")
_MOST_AXES = 16


def input_specs(inputs: Iterable[str], dynamic: Iterable[str]) -> dict[str, InputSpec]:
    """Return what is wanted of each input that is named.

    Args:
        inputs: Texts such as ``x=1,3,224,224`` or ``ids=1,128:int64``; without a name for the only
            input of a model.
        dynamic: Texts such as ``x=batch`` or ``x=batch,_,height,width``.

    Raises:
        UsageError: for a text of another form.
    """
    found = dict(map(_shape, inputs))
    for name, axes in map(_axes, dynamic):
        found[name] = replace(found.get(name, InputSpec()), dynamic=axes)
    return _only_input(found)


def _only_input(found: dict[str, InputSpec]) -> dict[str, InputSpec]:
    """Return a shape without a name and axes with one as those of the same input."""
    if ONLY not in found or len(found) != 2:
        return found
    (name,) = found.keys() - {ONLY}
    if found[name].shape is not None:
        return found
    return {name: replace(found[ONLY], dynamic=found[name].dynamic)}


def _shape(text: str) -> tuple[str, InputSpec]:
    shape, colon, dtype = text.rpartition(":")
    if not colon:
        shape, dtype = text, ""
    elif dtype not in _TYPES:
        known = ", ".join(sorted(_TYPES))
        raise UsageError(f"{dtype!r} is not a type of an input.", hint=f"Known types: {known}.")
    named = shape if "=" in shape else f"{ONLY}={shape}"
    ((name, sizes),) = parse([named]).items()
    return name, InputSpec(sizes, dtype)


def _axes(text: str) -> tuple[str, dict[int, str]]:
    name, _, axes = text.rpartition("=")
    words = axes.split(",")
    valid = all(_AXIS.fullmatch(word) or _KEPT.fullmatch(word) for word in words)
    named = {at: word for at, word in enumerate(words) if _AXIS.fullmatch(word)}
    if not name or not named or not valid or len(words) > _MOST_AXES:
        raise UsageError(
            f"{text!r} names no dynamic axes.", hint="Write x=batch, or x=batch,_,height,width."
        )
    return name, named
