"""NNCF's quantization of an ONNX model, run in the environment where NNCF lives.

This one file, numpy, onnx, onnxruntime and nncf alone; nothing of the studio. ``run`` is called
as ``studio.api.toolchains`` describes.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

# Before the first import: afterwards it is too late, the library has phoned home.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import nncf
import numpy
import onnx
import rich.progress

Tell = Callable[..., None]

_PRESETS = {
    "performance": nncf.QuantizationPreset.PERFORMANCE,
    "mixed": nncf.QuantizationPreset.MIXED,
}
_BY_NAME = re.compile("[*?[]")


class Steps:
    """Progress of the work: samples read so far, and NNCF's messages about its own loops."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._share = 0.0

    def sample(self, read: int, total: int) -> None:
        """Count a read sample; NNCF reads them several times, and the total is unknown."""
        self._share = 1 - 0.5 ** (read / total)  # half of the rest each time
        self._tell(self._share, 1.0, f"Running sample {(read - 1) % total + 1} of {total}")

    def listen(self) -> None:
        """Pass on what NNCF shows on a terminal: its longest loops read no samples."""
        advance = rich.progress.Progress.advance
        tell = self._tell

        def advanced(bar: Any, task: Any, number: float = 1) -> None:
            advance(bar, task, number)
            shown = bar._tasks[task]
            if "tatistics" not in shown.description:
                tell(self._share, 1.0, f"{shown.description}: {shown.percentage:.0f} %")

        rich.progress.Progress.advance = advanced  # type: ignore[assignment]


class Samples:
    """Feeds kept as files, read one at a time."""

    def __init__(self, folder: str, steps: Steps) -> None:
        self._paths = sorted(glob.glob(os.path.join(folder, "*.npz")))
        self._steps = steps
        self._read = 0

    def __len__(self) -> int:
        return len(self._paths)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for path in self._paths:
            self._read += 1
            self._steps.sample(self._read, len(self._paths))
            with numpy.load(path, allow_pickle=False) as arrays:
                yield {name: arrays[name] for name in arrays.files}


def run(request: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """Quantize ``source`` with the samples in ``samples`` into ``output``.

    Args:
        request: ``source, output, samples`` (paths) and ``preset, fast_bias_correction, keep,
            transformer``.

    Returns:
        ``quantized`` (a number of nodes), ``kept`` (names) and ``pairs``.
    """
    tell(0.0, 1.0, "Reading the model")
    model = onnx.load(request["source"])
    _lift_constants(model.graph)
    _name_all(model.graph)
    steps = Steps(tell)
    steps.listen()
    samples = Samples(request["samples"], steps)
    names = [node.name for node in model.graph.node]
    kept = _float_nodes(model.graph, request["keep"])
    made = nncf.quantize(
        model,
        nncf.Dataset(samples, lambda feeds: feeds),
        preset=_PRESETS[request["preset"]],
        subset_size=len(samples),
        fast_bias_correction=bool(request["fast_bias_correction"]),
        model_type=nncf.ModelType.TRANSFORMER if request["transformer"] else None,
        ignored_scope=nncf.IgnoredScope(names=kept) if kept else None,
    )
    tell(0.99, 1.0, "Writing the model")
    onnx.checker.check_model(made)
    onnx.save(made, request["output"])
    return _facts(made.graph, names, kept)


def _name_all(graph: Any) -> None:
    """Name each node uniquely, because NNCF identifies nodes by their names."""
    taken = set()
    for number, node in enumerate(graph.node):
        if not node.name or node.name in taken:
            node.name = f"{node.op_type}_{number}"
        taken.add(node.name)


def _float_nodes(graph: Any, wanted: list[str]) -> list[str]:
    """Return the nodes that stay in float, from names, patterns and operators.

    Raises:
        ValueError: when one of the wanted is no node.
    """
    found: list[str] = []
    for text in wanted:
        if _BY_NAME.search(text):
            names = [n.name for n in graph.node if fnmatch.fnmatchcase(n.name, text)]
        else:
            names = [n.name for n in graph.node if text in (n.name, n.op_type)]
        if not names:
            raise ValueError(f"there is no node or operator {text!r} to keep in float")
        found += [name for name in names if name not in found]
    return found


def _lift_constants(graph: Any) -> None:
    """Make initializers of constant nodes: NNCF takes a weight that a node gives for an activation.

    It would get one scale for the whole tensor, out of the samples, and stay in the file as float.
    """
    for node in [node for node in graph.node if node.op_type == "Constant"]:
        value = next((each.t for each in node.attribute if each.name == "value"), None)
        if value is not None:
            lifted = onnx.TensorProto()
            lifted.CopyFrom(value)
            lifted.name = node.output[0]
            graph.initializer.append(lifted)
            graph.node.remove(node)


def _facts(graph: Any, names: list[str], kept: list[str]) -> dict[str, Any]:
    """Return how many nodes read quantized values, and which were kept in float on request."""
    made = {name for node in graph.node for name in node.output if node.op_type.startswith("Deq")}
    quantized = [n.name for n in graph.node if n.name in names and made.intersection(n.input)]
    pairs = sum(node.op_type == "DequantizeLinear" for node in graph.node)
    return {"quantized": len(quantized), "kept": kept, "pairs": pairs, "nncf": nncf.__version__}
