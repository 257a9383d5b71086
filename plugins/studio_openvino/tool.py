"""The conversion of ONNX to OpenVINO IR, in the environment where OpenVINO lives.

This one file, numpy and openvino alone; nothing of the studio. ``run`` is called as
``studio.api.toolchains`` describes for converters.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy
import openvino

Tell = Callable[..., None]
Json = Mapping[str, Any]

_OPERATOR = re.compile(r"No conversion rule found for operations?:? ([^\n]+)")
_NOISE = re.compile(r"^(Exception from |Check '|FrontEnd API failed)")


def run(request: Json, tell: Tell) -> dict[str, Any]:
    """Convert a file, or run one on samples; what goes wrong is in ``error``."""
    name = os.path.basename(request["source"])
    try:
        if request["work"] == "answer":
            _answer(request, tell)
        else:
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


def _answer(request: Json, tell: Tell) -> None:
    core = openvino.Core()
    # In float32: bfloat16 kernels would hide what the conversion did.
    compiled = core.compile_model(request["source"], "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    paths = sorted(glob.glob(os.path.join(request["samples"], "*.npz")))
    for number, path in enumerate(paths):
        tell(number, len(paths), f"Running sample {number + 1} of {len(paths)}")
        with numpy.load(path, allow_pickle=False) as arrays:
            made = compiled({name: arrays[name] for name in arrays.files})
        found = {str(at): made[at] for at in range(len(compiled.outputs))}
        numpy.savez(os.path.join(request["answers"], os.path.basename(path)), **found)


def _reason(text: str) -> str:
    if known := _OPERATOR.search(text):
        return f"it does not know the operator {known[1].strip(' .')}"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if not _NOISE.match(line)]
    return (telling or lines or ["it gives no reason"])[-1].rstrip(".")
