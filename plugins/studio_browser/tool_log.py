"""The places of nodes and the reasons of refusals, from the console of onnxruntime-web.

Used by the tool next to it. It needs the standard library alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

TYPES = frozenset(
    {"float16", "float32", "float64", "bool"}
    | {f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)}
)
"""Types of tensors with the same names in numpy."""

_PLACE = re.compile(r"VerifyEachNodeIsAssignedToAnEp\]\s+Node\(s\) placed on \[(\w+)\]")
_NODE = re.compile(r"VerifyEachNodeIsAssignedToAnEp\]\s+(\w+) \((.*)\)$")
_SUFFIX = re.compile(r"_token_\d+$")
_COPIES = frozenset({"MemcpyFromHost", "MemcpyToHost"})
_LONGEST = 1000

_UNKNOWN = re.compile(
    r"(?:NOT_IMPLEMENTED|find an implementation for|No Op registered for) ?:? ?(.*)"
)
_HALVES = re.compile(r"requires f16 but the device does not support it")
_CODES = re.compile(r"^.*?ERROR_MESSAGE: |^failed to call \S+ ")


class PlacedRow(NamedTuple):
    """A node with its place, in the keys of ``studio.api.chips``."""

    name: str
    operator: str
    on_chip: bool
    reason: str = ""


def nodes(console: Iterable[str]) -> list[PlacedRow]:
    """Return the nodes of a session with several providers; nothing where one has all."""
    provider, found = "", {}
    for line in console:
        if match := _PLACE.search(line):
            provider = match[1]
        elif provider and (match := _NODE.search(line)) and match[1] not in _COPIES:
            name = _SUFFIX.sub("", match[2])[:_LONGEST]
            on_chip = provider != "CPUExecutionProvider"
            why = "" if on_chip else "WebGPU of this build does not take it; WebAssembly does"
            found[match[2]] = PlacedRow(name, match[1], on_chip, why)
    return list(found.values())


def reason(text: str) -> str:
    """Return the message of an error of onnxruntime-web, without its codes and its dot."""
    plain = " ".join(_CODES.sub("", text).split()).rstrip(".")
    if _HALVES.search(plain):
        return (
            "WebGPU needs 16-bit floats (shader-f16) for this model, and the software adapter here "
            "has none; a device may have them. Check the float model, or browser-wasm"
        )
    return f"onnxruntime-web refuses the model: {plain[:500]}"
