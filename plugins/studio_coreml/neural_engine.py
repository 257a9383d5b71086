"""Apple's Neural Engine: published rules, applied to the operators of a Core ML program.

Apple documents none of its operators. ``neural_engine.json`` has those that others measured, with
the source; the limits below are of the same source, and of Apple where that is noted. coremltools
reads the package here; Core ML and a device were never part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from studio.api import Graph, InvalidModel, Node, PlacedNode, Progress, Toolchain, UsageError
from studio.api.chip_rules import (
    BrokenRule,
    NodeRule,
    OperatorTable,
    RulesCompiler,
    read_operators,
    values_of,
    without_open_sizes,
)
from studio_coreml.program import graph_of

FAMILIES = ("A13", "A14", "A15")
"""Families with a column of their own; M1 is A13, M2 is A14."""

_FILE = Path(__file__).with_suffix(".json")
_TOOL = Path(__file__).with_name("tool_program.py")

_AXES = 5
_LONGEST = 65_536
_WIDEST = 16_384
"""Limit of height and width; the other axes have the longer one."""
_IMAGE_AXES = 4
_LONGEST_ARGUMENT = 2048
_LINEAR_AXES = 5
_KERNELS = {"A13": (29, 13), "A14": (32, 16), "A15": (32, 16)}
"""Largest height and width of a kernel in float16."""

_HALF = "Export the float model with --precision fp16."
_UNROLL = "Replace it in the model: by operators of the table, or as a fixed number of steps."
_REMEDIES = {
    "cond": "Choose the branch before the export: studio edit makes the condition a constant.",
    "gru": _UNROLL,
    "lstm": _UNROLL,
    "rnn": _UNROLL,
    "logical_and": "Multiply the two values instead.",
    "logical_or": "Take the larger of the two values instead.",
    "non_maximum_suppression": "Leave it out of the model, and compute it in the app.",
    "while_loop": _UNROLL,
}


class NeuralEngine(RulesCompiler):
    """The rules; the family of the chip is a setting."""

    id = "apple-neural-engine"
    title = "Rules of the Neural Engine"
    chip = "the Neural Engine"
    rules_version = "of 2026-08"

    def __init__(self, toolchain: Toolchain) -> None:
        self._toolchain = toolchain

    def graph(self, model: Path, folder: Path, progress: Progress) -> Graph:
        """Read the program of a package by coremltools.

        Raises:
            InvalidModel: for a package without a program.
        """
        found = self._toolchain.run(_TOOL, {"source": str(model)}, folder, progress)
        if error := found.get("error"):
            raise InvalidModel(str(error))
        return graph_of(found.get("program"))

    def rules(self, settings: Mapping[str, object]) -> Sequence[NodeRule]:
        """Return the rules of the family in the settings.

        Raises:
            UsageError: for a family that is not in the table.
        """
        family = str(settings.get("family", ""))
        if family not in FAMILIES:
            raise UsageError(f"There are rules for {', '.join(FAMILIES)}, not for {family!r}.")
        known = FAMILIES[: FAMILIES.index(family) + 1]
        table = OperatorTable(
            f"the list for Neural Engines of {family}", read_operators(_FILE, *known), _REMEDIES
        )
        return (table.broken, without_open_sizes, _types, _sizes, *_of_operators(family))

    def warnings(
        self, graph: Graph, nodes: Sequence[PlacedNode], settings: Mapping[str, object]
    ) -> Iterator[str]:
        """Yield that the device decides."""
        yield (
            "Rules alone: they are measurements of others, not Apple's documents. Core ML decides "
            "on the device, and may compute small models on the processor. Xcode's performance "
            "report shows the places."
        )


def _types(graph: Graph, node: Node) -> BrokenRule | None:
    """Refuse wider types than float16 (Apple: Typed Execution); a cast alone takes them."""
    if node.operator == "cast":
        return None
    for name, kind in values_of(graph, node.inputs):
        if kind is not None and kind.dtype in ("float32", "float64"):
            return BrokenRule(f"{name!r} is {kind.dtype}; the engine computes in float16.", _HALF)
        if kind is not None and kind.dtype in ("int32", "int64"):
            return BrokenRule(f"{name!r} is {kind.dtype}, for which the engine has no path.")
    return None


def _sizes(graph: Graph, node: Node) -> BrokenRule | None:
    for name, kind in values_of(graph, (*node.inputs, *node.outputs)):
        sizes = [size for size in (kind.shape or ()) if isinstance(size, int)] if kind else []
        if len(sizes) > _AXES:
            return BrokenRule(f"{name!r} has {len(sizes)} axes, and the engine takes {_AXES}.")
        wide = sizes[-2:] if len(sizes) >= _IMAGE_AXES else []
        if max(wide, default=0) > _WIDEST or max(sizes, default=0) > _LONGEST:
            most = _WIDEST if max(wide, default=0) > _WIDEST else _LONGEST
            return BrokenRule(f"{name!r} has an axis of more than {most:,}.")
    return None


def _of_operators(family: str) -> tuple[NodeRule, ...]:
    def own(graph: Graph, node: Node) -> BrokenRule | None:
        rule = _OWN.get(node.operator)
        return rule(graph, node, family) if rule else None

    return (own,)


def _convolution(graph: Graph, node: Node, family: str) -> BrokenRule | None:
    kernel = _numbers(node, "weight sizes")[2:]
    if len(kernel) > 2:
        return BrokenRule("It has three axes, and the engine takes convolutions of one or two.")
    height, width = [1, 1, *kernel][-2:]
    most = _KERNELS[family]
    if height > most[0] or width > most[1]:
        return BrokenRule(
            f"Its kernel has {height} by {width} values, and the engine takes {most[0]} by "
            f"{most[1]}."
        )
    return None


def _linear(graph: Graph, node: Node, family: str) -> BrokenRule | None:
    for name, kind in values_of(graph, node.inputs):
        if kind is not None and len(kind.shape or ()) >= _LINEAR_AXES:
            return BrokenRule(f"{name!r} has {_LINEAR_AXES} axes, and linear takes fewer.")
    return None


def _pad(graph: Graph, node: Node, family: str) -> BrokenRule | None:
    if str(node.attributes.get("mode", "constant")) != "constant" and family == "A13":
        return BrokenRule("A13 pads with a constant alone.")
    if any(_numbers(node, "pad")[:-4]):
        return BrokenRule("It pads another axis than height and width.")
    return None


def _argument(graph: Graph, node: Node, family: str) -> BrokenRule | None:
    axis = (_numbers(node, "axis") or [-1])[0]
    for _, kind in values_of(graph, node.inputs):
        sizes = (kind.shape or ()) if kind else ()
        size = sizes[axis] if -len(sizes) <= axis < len(sizes) else 0
        if isinstance(size, int) and size > _LONGEST_ARGUMENT:
            return BrokenRule(
                f"It looks through {size:,} values, and the engine through {_LONGEST_ARGUMENT:,}."
            )
    return None


def _cast(graph: Graph, node: Node, family: str) -> BrokenRule | None:
    if node.attributes.get("dtype") == "int32" and family == "A13":
        return BrokenRule("A13 casts nothing to int32.")
    return None


_OWN: Mapping[str, Callable[[Graph, Node, str], BrokenRule | None]] = {
    "cast": _cast,
    "conv": _convolution,
    "conv_transpose": _convolution,
    "linear": _linear,
    "pad": _pad,
    "reduce_argmax": _argument,
    "reduce_argmin": _argument,
}


def _numbers(node: Node, name: str) -> list[int]:
    given = node.attributes.get(name, ())
    return [one for one in given if isinstance(one, int)] if isinstance(given, tuple) else []
