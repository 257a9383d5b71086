"""The compilation of ONNX models by RKNN-Toolkit2 and their run in its simulator, where both live.

This file, its parts, numpy, ONNX and the toolkit; nothing of the studio. ``run`` is called as
``studio.api.chips`` describes for compilers. The toolkit takes 8-bit models with QuantizeLinear and
DequantizeLinear as they are; it does not quantize here.
"""

from __future__ import annotations

import glob
import importlib
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy
import onnx
import onnx.version_converter

# Its parts lie next to it; the environment knows nothing of the folder.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
_table: Any = importlib.import_module("tool_table")
_output: Any = importlib.import_module("tool_printed")

Tell = Callable[..., None]
Json = Mapping[str, Any]

_SECONDS = 120.0
"""Time for the samples in the simulator."""

_PRESET = "Quantize the float model with the preset int8-npu."
_IN_FLOAT = f"The chip computes in 8 bits alone, and the model is in float. {_PRESET}"
_HALF = (
    "The chip computes these nodes in float16: {}. "
    "The preset int8-npu leaves fewer, and costs some models more."
)
_ADDED = "The compiler adds {} on the processor: {}."
_FIXED = (
    "The compiled model has fixed sizes. To fix them in the model, too: "
    'studio edit MODEL --edit "{}".'
)
_OLDER = (
    "The compiler got the model in operator set {1} instead of {0}, which it does not read. To "
    'convert the model, too: studio edit MODEL --edit "opset {1}".'
)
_NEWEST_OPSET = 19
"""Newest operator set that the toolkit reads."""

_MOST_NAMES = 5
_COLOURS = re.compile(r"\x1b\[[\d;]*m")
_FAULT = re.compile(r"^E (?:RKNN: \[[\d:.]+\] )?(?:\w+: )?(?P<text>[^\n]+)$", re.MULTILINE)
_RAISED = re.compile(r"^[\w.]*(?:Error|Exception|Invalid\w+): (?P<text>[^\n]+)$", re.MULTILINE)
_UNSAID = ("Traceback", "Unkown op target", "rknn-toolkit2 version")


class _Node(NamedTuple):
    name: str
    operator: str
    outputs: Sequence[str]


class _Unbuildable(Exception):
    """A model that cannot be compiled; the text is a sentence."""


def run(request: Json, tell: Tell) -> dict[str, Any]:
    """Compile a model, or run it on samples; what goes wrong is in ``error``."""
    tell(0.0, 0.0, "Loading RKNN-Toolkit2")
    from rknn.api import RKNN

    try:
        if request["work"] == "answer":
            _answer(RKNN, request, tell)
            return {}
        return _compile(RKNN, request, tell)
    except _Unbuildable as refused:
        return {"error": str(refused)}


def _compile(rknn: Any, request: Json, tell: Tell) -> dict[str, Any]:
    model = onnx.load(request["source"], load_external_data=False)
    nodes = _nodes(model.graph)
    is_quantized = any(node.operator == "QuantizeLinear" for node in nodes)
    if not is_quantized and not request["settings"].get("floats", True):
        raise _Unbuildable(_IN_FLOAT)
    tell(0.0, 0.0, "Compiling the model")
    path = request["output"] + ".rknn"
    source, warnings = _with_known_operators(request["source"], model)
    built, printed = _built(rknn, source, request["settings"], request["inputs"], path)
    built.release()
    layers = _table.layers(printed)
    placement = _table.placement(nodes, layers)
    edits = _open_sizes(model.graph, request["inputs"])
    warnings += [_FIXED.format(edits[0])] if edits else []
    if placement.added:
        text = _counted(len(placement.added), "layer")
        warnings.append(_ADDED.format(text, _listed(placement.added)))
    if is_quantized and placement.half:
        warnings.append(_HALF.format(_listed(placement.half)))
    return {
        "artefact": os.path.basename(path),
        "nodes": placement.nodes,
        "estimate": _table.figures(printed, layers),
        "warnings": warnings,
        "edits": edits,
    }


def _with_known_operators(source: str, model: onnx.ModelProto) -> tuple[str, list[str]]:
    """Return a model in an operator set that the toolkit reads, and a warning about that."""
    former = next((one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), 0)
    if former <= _NEWEST_OPSET:
        return source, []
    try:
        older = onnx.version_converter.convert_version(onnx.load(source), _NEWEST_OPSET)
        path = os.path.join(tempfile.mkdtemp(), os.path.basename(source))
        onnx.save(older, path)
    except Exception:  # of the library's assertions; the toolkit says what it does not take
        return source, []
    return path, [_OLDER.format(former, _NEWEST_OPSET)]


def _built(
    rknn: Any, source: str, settings: Json, sizes: Mapping[str, Any], path: str = ""
) -> tuple[Any, str]:
    """Return the toolkit with a built model, and its log; write the model where there is a path.

    Raises:
        _Unbuildable: with the reason of the toolkit.
    """
    with _output.caught() as printed:
        made, raised = None, ""
        try:
            made = rknn(verbose=bool(path))
            made.config(target_platform=settings["platform"])
            lists = [list(map(int, one)) for one in sizes.values()]
            done = made.load_onnx(source, inputs=list(sizes), input_size_list=lists)
            done = done or made.build(do_quantization=False)
            done = done or (path and made.export_rknn(path))
        except Exception as error:  # of the toolkit, which has one class for all
            done, raised = -1, str(error)
    log = _COLOURS.sub("", printed.text)
    if done:
        raise _Unbuildable(f"RKNN-Toolkit2 refuses the model: {_reason(log, raised)}.")
    return made, log


def _reason(log: str, raised: str) -> str:
    """Return the toolkit's last word in one line."""
    said = [one["text"] for one in _RAISED.finditer(f"{log}\n{raised}")]
    said = said or [one["text"] for one in _FAULT.finditer(log)]
    useful = [text for text in said if not text.startswith(_UNSAID)]
    return str(_output.one_line(useful[-1] if useful else "it gives no reason"))


def _nodes(graph: Any) -> list[_Node]:
    """Return the nodes that compute; those without a name have that of their first output."""
    return [
        _Node(node.name or node.output[0], node.op_type, list(node.output))
        for node in graph.node
        if node.op_type != "Constant"
    ]


def _open_sizes(graph: Any, sizes: Mapping[str, Sequence[int]]) -> list[str]:
    """Return the edit that fixes the open sizes of the inputs; none where all are fixed."""
    found: dict[str, str] = {}
    for one in graph.input:
        given = sizes.get(one.name, ())
        for axis, size in zip(one.type.tensor_type.shape.dim, given, strict=False):
            if axis.dim_param:
                found[axis.dim_param] = str(size)
            elif not axis.HasField("dim_value"):
                found[one.name] = ",".join(map(str, given))
    pairs = " ".join(f"{name}={size}" for name, size in found.items())
    return [f"dimensions {pairs}"] if pairs else []


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _listed(names: Sequence[str]) -> str:
    more = [f"and {len(names) - _MOST_NAMES} more"] if len(names) > _MOST_NAMES else []
    return ", ".join([*names[:_MOST_NAMES], *more])


def _answer(rknn: Any, request: Json, tell: Tell) -> None:
    """Run the samples in the simulator as long as there is time, one at least."""
    paths = sorted(glob.glob(os.path.join(glob.escape(request["samples"]), "*.npz")))
    made, shapes, longest = None, None, 0.0
    begun = time.monotonic()
    for number, path in enumerate(paths):
        started = time.monotonic()
        if number and started - begun + longest > _SECONDS:
            return
        with numpy.load(path, allow_pickle=False) as arrays:
            given = {name: arrays[name] for name in arrays.files}
        sizes = {name: list(array.shape) for name, array in given.items()}
        tell(float(number), float(len(paths)), f"Simulating sample {number + 1} of {len(paths)}")
        if made is None or shapes != sizes:
            source = request["source"]
            model = onnx.load(source, load_external_data=False)
            made, _ = _built(
                rknn, _with_known_operators(source, model)[0], request["settings"], sizes
            )
            shapes = sizes
            _simulator(made)
        answers = _simulated(made, list(given.values()))
        numpy.savez(
            os.path.join(request["answers"], os.path.basename(path)),
            **{str(at): array for at, array in enumerate(answers)},
        )
        longest = max(longest, time.monotonic() - started)


def _simulator(made: Any) -> None:
    with _output.caught() as printed:
        done = made.init_runtime()
    if done:
        raise _Unbuildable(f"The simulator does not start: {_reason(printed.text, '')}.")


def _simulated(made: Any, given: Sequence[Any]) -> Sequence[Any]:
    answers, raised = None, ""
    with _output.caught() as printed:
        try:
            answers = made.inference(inputs=list(given), data_format=["nchw"] * len(given))
        except Exception as error:  # of the toolkit, which has one class for all
            raised = str(error)
    if answers is None:
        text = _reason(_COLOURS.sub("", printed.text), raised)
        raise _Unbuildable(f"The simulator does not run the model: {text}.")
    return list(answers)
