"""Checks before a deploy: open sizes beyond the batch, and tensors in double precision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from studio.api import Dimension, Finding, Graph, Level, Model, TensorType, Value

_DOUBLE = "float64"
_NAMED = 3


class OpenSizes:
    """Warning for inputs whose sizes follow from each request, the named batch left out."""

    id = "open-sizes"
    title = "Open input sizes"

    def check(self, model: Model, facts: Mapping[str, Any]) -> Sequence[Finding]:
        """Return a warning for each input with an open size."""
        return [
            Finding(Level.WARNING, self.id, text)
            for value in model.graph.inputs
            if (text := _open_sizes(value))
        ]


class DoublePrecision:
    """Warning for tensors in float64, which few accelerators compute with."""

    id = "float64"
    title = "Tensors in double precision"

    def check(self, model: Model, facts: Mapping[str, Any]) -> Sequence[Finding]:
        """Return one warning that counts the tensors and names the first."""
        graphs = [model.graph, *model.functions.values()]
        names = list(dict.fromkeys(name for graph in graphs for name in _doubles(graph)))
        if not names:
            return []
        shown = ", ".join(repr(name) for name in names[:_NAMED])
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        verb = "is" if len(names) == 1 else "are"
        text = (
            f"{shown}{more} {verb} in float64: twice the memory of float32, and slow on boards. "
            "Export the model in float32."
        )
        return [Finding(Level.WARNING, self.id, text)]


def _open_sizes(value: Value) -> str:
    """Return what is open in an input, in a sentence; empty where only a named batch is."""
    if value.type is None:
        return ""
    if value.type.shape is None:
        return f"Input {value.name!r} has no shape: memory and latency follow from each request."
    sizes = enumerate(value.type.shape)
    axes = [_axis(axis, size) for axis, size in sizes if _is_open(axis, size)]
    if not axes:
        return ""
    return (
        f"Input {value.name!r} has open sizes ({', '.join(axes)}): memory and latency follow from "
        "each request. Fix them with studio edit --edit dimensions."
    )


def _is_open(axis: int, size: Dimension) -> bool:
    return size is None or (axis > 0 and isinstance(size, str))


def _axis(axis: int, size: Dimension) -> str:
    return f"axis {axis} without a name" if size is None else f"axis {axis} {size!r}"


def _doubles(graph: Graph) -> Iterator[str]:
    """Yield the names of the tensors in double precision, those of sub-graphs included."""
    typed: list[tuple[str, TensorType | None]] = [
        (value.name, value.type) for value in (*graph.inputs, *graph.outputs)
    ]
    typed += [(one.name, one.type) for one in graph.initializers.values()]
    typed += graph.values.items()
    yield from (name for name, kind in typed if kind is not None and kind.dtype == _DOUBLE)
    for node in graph.nodes:
        for block in node.blocks.values():
            yield from _doubles(block)
