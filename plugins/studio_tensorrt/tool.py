"""The compilation of ONNX models by TensorRT, in the environment where it lives.

This file and TensorRT alone; nothing of the studio. ``run`` is called as ``studio.api.chips``
describes for compilers. The builder makes engines for GPUs of other kinds than the one at hand, or
without any. Where it knows none for a chip, the parser alone is used.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Any

Tell = Callable[..., None]
Json = Mapping[str, Any]

_REASON = re.compile(r"API Usage Error \((?P<text>.*?)\.? In \w+ at ", re.DOTALL)
_CONSTANT = re.compile(r"Failed to import initializer: (?P<name>\S+)\s*$")
_HEADING = re.compile(r"^Invalid Node - [^\n]*\n")

_PRESET_NAME = "int8-tensorrt"
_PRESET = f"Quantize the float model with the preset {_PRESET_NAME}."
_REMEDIES = (
    (re.compile("input has type Int32"), f"TensorRT wants biases in float. {_PRESET}"),
    (re.compile("zero.?point", re.IGNORECASE), f"TensorRT wants zero points of 0. {_PRESET}"),
    (re.compile(r"MatMulNBits|com\.microsoft"), f"It is an operator of ONNX Runtime. {_PRESET}"),
)
_PARSER_ALONE = "The parser takes the model. This version builds no engine for the chip."
_UNKNOWN_TYPE = "the type of this constant is not one of TensorRT's"
_OTHER_TYPE = f"It may be a zero point of 16 bits. {_PRESET}"


def run(request: Json, tell: Tell) -> dict[str, Any]:
    """Parse a model, and build its engine where there is one; faults are in ``error``."""
    tell(0.0, 0.0, "Loading TensorRT")
    import tensorrt_rtx_bindings as trt

    log = _quiet(trt)
    builder = trt.Builder(log)
    network = builder.create_network()
    parser = trt.OnnxParser(network, log)
    tell(0.0, 0.0, "Parsing the model")
    if not parser.parse_from_file(request["source"]):
        return {"nodes": [_refused(parser.get_error(at)) for at in range(parser.num_errors)]}
    capability = request["settings"].get("capability", "")
    if not capability:
        return {"how": "rules", "warnings": [_PARSER_ALONE]}
    tell(0.0, 0.0, "Building the engine")
    config = builder.create_builder_config()
    config.num_compute_capabilities = 1
    config.set_compute_capability(getattr(trt.ComputeCapability, capability), 0)
    _fix_sizes(builder, network, config, request["inputs"])
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        return {"error": f"TensorRT refuses the model: {_one_line(log.last)}."}
    path = request["output"] + ".engine"
    with open(path, "wb") as file:
        file.write(engine)
    return {"artefact": os.path.basename(path)}


def _quiet(trt: Any) -> Any:
    """Return a logger that keeps the last error, which is all that a failed build leaves."""

    class Logger(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.last = "it gives no reason"

        def log(self, severity: Any, text: str) -> None:
            if severity in (trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR):
                self.last = text

    return Logger()


def _fix_sizes(builder: Any, network: Any, config: Any, sizes: Mapping[str, Any]) -> None:
    """Give open sizes the ones of the check."""
    inputs = [network.get_input(at) for at in range(network.num_inputs)]
    if not any(-1 in one.shape for one in inputs):
        return
    profile = builder.create_optimization_profile()
    for one in inputs:
        if -1 in one.shape:
            fixed = sizes[one.name]
            profile.set_shape(one.name, fixed, fixed, fixed)
    config.add_optimization_profile(profile)


def _refused(error: Any) -> dict[str, Any]:
    """Return a node or a constant that the parser refuses, with its reason in one line."""
    text = error.desc()
    if constant := _CONSTANT.search(text):
        node = (constant["name"], "constant", _UNKNOWN_TYPE, _OTHER_TYPE)
    else:
        operator, said = error.node_operator(), _REASON.search(text)
        reason = said["text"] if said else _HEADING.sub("", text)
        matching = (known for pattern, known in _REMEDIES if pattern.search(f"{operator} {text}"))
        node = (error.node_name(), operator, _one_line(reason), next(matching, ""))
    keys = ("name", "operator", "reason", "remedy")
    preset = _PRESET_NAME if node[-1] else ""
    return {**dict(zip(keys, node, strict=True)), "preset": preset, "on_chip": False}


def _one_line(text: str) -> str:
    return " ".join(text.split()).rstrip(".")[:500]
