"""The conversion of programs of PyTorch to Core ML, in the environment where coremltools lives.

This file and its parts, numpy, torch and coremltools alone; nothing of the studio. ``run`` is
called as ``studio.api.toolchains`` describes for converters.
"""

from __future__ import annotations

import glob
import importlib
import json
import logging
import os
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

logging.disable(logging.WARNING)  # before coremltools: it complains that this is no macOS

import coremltools  # noqa: E402
import numpy  # noqa: E402
import torch  # noqa: E402

# Its parts lie next to it; the environment knows nothing of the folder.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
_values: Any = importlib.import_module("tool_values")

Tell = Callable[..., None]
Json = Mapping[str, Any]

_NAMES = "onnx_names.json"
_NO_NAME = re.compile(r"\W|^(?=\d)")
_OPERATOR = re.compile(r"[Cc]onversion for operation '?([\w.:]+)'?|Unsupported fx node ([\w.:]+)")
_NOT_RUN = (
    "Core ML runs on Apple's systems alone. The check computes the operators of the program one by "
    "one, in float32."
)
_TARGET = coremltools.target.iOS16


def run(request: Json, tell: Tell) -> dict[str, Any]:
    """Convert a file; what goes wrong is in ``error``."""
    warnings.simplefilter("ignore")
    try:
        if request["work"] == "answer":
            return _answered(request, tell)
        _convert(request, tell)
        return {"warnings": [_NOT_RUN]}
    except Exception as error:
        traceback.print_exc()
        verb = "checked" if request["work"] == "answer" else "written"
        return {"error": f"The model cannot be {verb} as Core ML: {_reason(error)}."}


def _answered(request: Json, tell: Tell) -> dict[str, Any]:
    """Compute the operators of the program one by one: Core ML runs on Apple's systems alone."""
    parts: Any = importlib.import_module("tool_interpreter")
    try:
        program = parts.MilProgram(request["source"])
    except parts.UnknownOperatorError as error:
        return {"error": f"Core ML runs on Apple's systems alone, and {error}."}
    wanted = request.get("values") or []
    known = _values.known(program.metadata, program.made, wanted)
    paths = sorted(glob.glob(os.path.join(request["samples"], "*.npz")))
    for number, path in enumerate(paths):
        tell(number, len(paths), f"Running sample {number + 1} of {len(paths)}")
        with numpy.load(path, allow_pickle=False) as arrays:
            outputs, values = program.outputs([arrays[name] for name in arrays.files], known)
        made = {str(at): one for at, one in enumerate(outputs)}
        made.update({f"value/{wanted.index(name)}": one for name, one in values.items()})
        numpy.savez(os.path.join(request["answers"], os.path.basename(path)), **made)
    return {"warnings": [], "places": dict.fromkeys(known, "")}


def _convert(request: Json, tell: Tell) -> None:
    tell(0.0, 0.0, "Reading the program")
    extra = {_NAMES: ""}
    program = torch.export.load(request["source"], extra_files=extra)
    program = program.run_decompositions(_recurrences())
    _drop_aliases(program.graph)
    names = json.loads(extra[_NAMES])
    _check_outputs(program.graph, names["outputs"])
    precision = request["settings"].get("precision", "fp16")
    full = precision == "fp32"
    tell(0.0, 0.0, "Converting to Core ML")
    model = coremltools.convert(
        program,
        convert_to="mlprogram",
        minimum_deployment_target=_TARGET,
        outputs=[coremltools.TensorType(name=_name(one)) for one in names["outputs"]],
        compute_precision=coremltools.precision.FLOAT32 if full else coremltools.precision.FLOAT16,
        skip_model_load=True,
    )
    if precision == "int8":
        tell(0.0, 0.0, "Quantizing the weights")
        model = _quantized(model)
    model.user_defined_metadata[_values.KEY] = _values.written(program)
    model.save(request["output"])


def _check_outputs(graph: Any, names: Sequence[str]) -> None:
    (end,) = (node for node in graph.nodes if node.op == "output")
    for node, name in zip(end.args[0][-len(names) :], names, strict=True):
        if node.op == "placeholder":
            raise ValueError(f"its output {name!r} is an input, which Core ML cannot have")


def _recurrences() -> dict[Any, Any]:
    """Return how recurrences are unrolled: its converter knows none of an exported program."""
    table = torch.export.default_decompositions()
    names = ("aten.lstm.", "aten.gru.", "aten.rnn_")
    return {one: table[one] for one in table if str(one).startswith(names)}


def _drop_aliases(graph: Any) -> None:
    """Remove other names of the same values, for which Core ML has no operator."""
    for node in list(graph.nodes):
        if node.target == torch.ops.aten.alias.default:
            node.replace_all_uses_with(node.args[0])
            graph.erase_node(node)


def _quantized(model: Any) -> Any:
    optimize = coremltools.optimize.coreml
    settings = optimize.OpLinearQuantizerConfig(mode="linear_symmetric")
    return optimize.linear_quantize_weights(
        model, config=optimize.OptimizationConfig(global_config=settings)
    )


def _name(text: str) -> str:
    """Return a name that Core ML accepts."""
    return _NO_NAME.sub("_", text) or "output"


def _reason(error: BaseException) -> str:
    text = str(error)
    if found := _OPERATOR.search(text):
        return f"it has no form of the operator {found[1] or found[2]}"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines or ["no reason given"])[0].rstrip(".")
