"""The conversion of programs of PyTorch to Core ML, in the environment where coremltools lives.

This file and its part, numpy, torch and coremltools alone; nothing of the studio. ``run`` is called
as ``studio.api.toolchains`` describes for converters.
"""

from __future__ import annotations

import json
import logging
import os
import re
import traceback
import warnings
from collections.abc import Callable, Mapping
from typing import Any

logging.disable(logging.WARNING)  # before coremltools: it complains that this is no macOS

import coremltools  # noqa: E402
import torch  # noqa: E402

Tell = Callable[..., None]
Json = Mapping[str, Any]

_NAMES = "onnx_names.json"
_NO_NAME = re.compile(r"\W|^(?=\d)")
_OPERATOR = re.compile(r"[Cc]onversion for operation '?([\w.:]+)'?|Unsupported fx node ([\w.:]+)")
_TARGET = coremltools.target.iOS16


def run(request: Json, tell: Tell) -> dict[str, Any]:
    """Convert a file; what goes wrong is in ``error``."""
    warnings.simplefilter("ignore")
    if request["work"] == "answer":
        return {"error": "Core ML runs models on Apple's systems alone."}
    name = os.path.basename(request["source"])
    try:
        _convert(request, tell)
    except Exception as error:
        traceback.print_exc()
        return {"error": f"{name} cannot be written as Core ML: {_reason(error)}."}
    return {"warnings": []}


def _convert(request: Json, tell: Tell) -> None:
    tell(0.0, 0.0, "Reading the program")
    extra = {_NAMES: ""}
    program = torch.export.load(request["source"], extra_files=extra).run_decompositions({})
    names = json.loads(extra[_NAMES])
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
    model.save(request["output"])


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
    return (lines or [type(error).__name__])[0].rstrip(".")
