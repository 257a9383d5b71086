"""The conversion of ONNX to OpenVINO IR, in the environment where OpenVINO lives.

This one file, numpy and openvino alone; nothing of the studio. ``run`` is called as
``studio.api.toolchains`` describes for converters.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy
import openvino

Tell = Callable[..., None]
Json = Mapping[str, Any]

_OPERATOR = re.compile(r"No conversion rule found for operations?:? ([^\n]+)")
_ENDS = ("Parameter", "Constant", "Result")
_NOISE = re.compile(r"^(Exception from |Check '|FrontEnd API failed)")


def run(request: Json, tell: Tell) -> dict[str, Any]:
    """Convert a file, or run one on samples; what goes wrong is in ``error``."""
    name = os.path.basename(request["source"])
    try:
        if request["work"] == "answer":
            return {"warnings": [], "places": _answer(request, tell)}
        _convert(request, tell)
    except Exception as error:
        return {"error": f"{name} cannot be converted by OpenVINO: {_reason(str(error))}."}
    return {"warnings": []}


def _convert(request: Json, tell: Tell) -> None:
    tell(0.0, 0.0, "Reading the model")
    shapes = [
        (name, openvino.PartialShape(spec["shape"]))
        for name, spec in request["inputs"].items()
        if spec["shape"]
    ]
    if shapes:  # before it is read: a branch may follow from a size
        model = openvino.convert_model(request["source"], input=shapes)
    else:
        model = openvino.Core().read_model(request["source"])
    tell(0.0, 0.0, "Writing the IR")
    half = request["settings"].get("precision") == "fp16"
    openvino.save_model(model, request["output"], compress_to_fp16=half)


def _answer(request: Json, tell: Tell) -> dict[str, str]:
    """Run it; returns the values that are wanted too, and that it has."""
    core = openvino.Core()
    model = core.read_model(request["source"])
    outputs = [str(at) for at in range(len(model.outputs))]
    wanted = request.get("values") or []
    values = _values(model, wanted)
    model.add_outputs(list(values.values()))
    # In float32: bfloat16 kernels would hide what the conversion did.
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    keys = [*outputs, *(f"value/{at}" for at in values)]
    paths = sorted(glob.glob(os.path.join(request["samples"], "*.npz")))
    for number, path in enumerate(paths):
        tell(number, len(paths), f"Running sample {number + 1} of {len(paths)}")
        with numpy.load(path, allow_pickle=False) as arrays:
            made = compiled({name: arrays[name] for name in arrays.files})
        found = {key: made[at] for at, key in enumerate(keys)}
        numpy.savez(os.path.join(request["answers"], os.path.basename(path)), **found)
    return {wanted[at]: "" for at in values}


def _values(model: Any, names: Sequence[str]) -> dict[int, Any]:
    """Return the places of the values that a model has, by their number among the names."""
    known = {
        name: place
        for step in model.get_ordered_ops()
        if step.get_type_name() not in _ENDS
        for place in step.outputs()
        for name in place.get_names()
    }
    taken = {name for place in model.outputs for name in place.get_names()}  # outputs already
    found = {}
    for at, name in enumerate(names):
        if name in known and name not in taken:
            found[at] = known[name]
            taken |= known[name].get_names()
    return found


def _reason(text: str) -> str:
    if known := _OPERATOR.search(text):
        return f"it does not know the operator {known[1].strip(' .')}"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if not _NOISE.match(line)]
    return (telling or lines or ["it gives no reason"])[-1].rstrip(".")
