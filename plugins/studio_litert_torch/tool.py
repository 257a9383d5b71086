"""The conversion of programs of PyTorch to TFLite, in the environment where LiteRT Torch lives.

This file and its parts, numpy, torch, flatbuffers and Google's packages for LiteRT alone; nothing
of the studio. ``run`` is called as ``studio.api.toolchains`` describes for converters.
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
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import flatbuffers
import numpy
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

# Its parts lie next to it; the environment knows nothing of the folder.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
_ends: Any = importlib.import_module("tool_ends")
_values: Any = importlib.import_module("tool_values")
_metadata: Any = importlib.import_module("tool_metadata")

Tell = Callable[..., None]
Json = Mapping[str, Any]

_NAMES = "onnx_names.json"
_MARK = b"TFL3"
_BIAS = 3
_WEIGHTS_ALIGNED = 16
_LAST_OF_A_BYTE = schema.BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES
_OPERATORS = {
    number: name.lower()
    for name, number in vars(schema.BuiltinOperator).items()
    if isinstance(number, int)
}
_JOINED = ("leaky_relu",)
_OPERATOR = re.compile(r"(aten\.[\w.]+)")


class _AlignedBuilder(flatbuffers.Builder):  # type: ignore[misc]
    """A writer that puts weights where the schema has them, at multiples of 16 bytes."""

    def StartVector(self, size: int, count: int, alignment: int) -> int:  # noqa: N802
        """Begin a list; weights are the lists of bytes."""
        aligned = _WEIGHTS_ALIGNED if size == 1 else alignment
        return int(super().StartVector(size, count, aligned))


def run(request: Json, tell: Tell) -> dict[str, Any]:
    """Convert a file, or run one on samples; what goes wrong is in ``error``."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    try:
        if request["work"] == "answer":
            return {"warnings": [], "places": _answer(request, tell)}
        return {"warnings": _convert(request, tell)}
    except Exception as error:
        traceback.print_exc()
        return {"error": f"The model cannot be run or written by LiteRT: {_reason(error)}."}


def _convert(request: Json, tell: Tell) -> list[str]:
    tell(0.0, 0.0, "Loading the converter")  # which takes a while
    import litert_torch
    import torch

    extra = {_NAMES: ""}
    program = torch.export.load(request["source"], extra_files=extra)
    names = json.loads(extra[_NAMES])
    wanted = set(program.graph_signature.user_inputs)
    examples = tuple(
        torch.zeros(tuple(node.meta["val"].shape), dtype=node.meta["val"].dtype)
        for node in program.graph.nodes
        if node.name in wanted
    )
    tell(0.0, 0.0, "Converting to TFLite")
    nodes = _values.noted(program)
    _mark(litert_torch, nodes)
    made = litert_torch.convert(program.module(check_guards=False), examples)
    made.export(request["output"])
    _rename(request["output"], names, nodes)
    if (precision := request["settings"].get("precision")) != "fp32":
        samples = glob.glob(os.path.join(request["settings"]["calibration"], "*.npz"))
        quantize = importlib.import_module("tool_int8").quantize
        path = request["output"]
        quantize(path, sorted(samples), precision, tell)
        _join_activations(path)
        _rename(path, names)
    narrowed = _narrowed(request["output"], names["inputs"], examples)
    return [*narrowed, *_describe(request["output"], request["settings"])]


def _describe(path: str, settings: Json) -> list[str]:
    """Write what is known of the model into the file; return what the file cannot have."""
    labels, texts, given = (settings.get(one) for one in ("labels", "metadata", "preprocess"))
    if not (labels or texts or given):
        return []
    model = _read(path)
    graph = model.subgraphs[0]
    inputs, outputs = (
        [(graph.tensors[at].name.decode(), list(graph.tensors[at].shape)) for at in places]
        for places in (graph.inputs, graph.outputs)
    )
    names = _metadata.Preparation.__dataclass_fields__
    preparation = _metadata.Preparation(*map(given.get, names)) if given else None
    facts = _metadata.Facts(inputs, outputs, texts or {}, labels or (), preparation)
    _values.add(model, schema, _metadata.NAME, _metadata.encoded(facts))
    _write(model, path)
    if facts.labelled is not None:
        _metadata.append_labels(path, facts.labels)
    return list(facts.problems())


def _narrowed(path: str, names: Sequence[str], examples: Sequence[Any]) -> Iterator[str]:
    """Say which inputs got a narrower type: LiteRT Torch reads int64 as int32."""
    types = {one["name"]: one["dtype"] for one in Interpreter(path).get_input_details()}
    for name, example in zip(names, examples, strict=True):
        before, after = str(example.dtype).partition(".")[2], numpy.dtype(types[name]).name
        if before != after:
            yield f"The input {name!r} is {after} in TFLite, not {before}."


def _mark(litert_torch: Any, nodes: Sequence[Any]) -> None:
    """Let the converter name tensors after values of the ONNX model, where it still can."""
    export = importlib.import_module(f"{litert_torch.__name__}.backend.export")
    export.debuginfo.build_mlir_debuginfo = _values.marks(nodes)


def _rename(path: str, names: Mapping[str, Sequence[str]], nodes: Sequence[Any] = ()) -> None:
    """Give inputs and outputs the names of the ONNX model, and keep the places of its values."""
    model = _read(path)
    graph = model.subgraphs[0]
    if nodes:
        _values.add(model, schema, _values.KEY, _values.content(graph, nodes))
    _name_values(model, graph)
    _flatten_biases(model, graph)
    for places, given in ((graph.inputs, names["inputs"]), (graph.outputs, names["outputs"])):
        for place, name in zip(places, given, strict=True):
            if places is graph.inputs or place not in graph.inputs:  # an output may be an input
                graph.tensors[place].name = name.encode()
    for signature in model.signatureDefs or ():
        for maps, places, given in (
            (signature.inputs, graph.inputs, names["inputs"]),
            (signature.outputs, graph.outputs, names["outputs"]),
        ):
            for one, name in zip(_in_order(maps, places), given, strict=True):
                one.name = name.encode()
    _write(model, path)


def _write(model: Any, path: str) -> None:
    for code in model.operatorCodes:
        # Older readers, tf2onnx among them, read this field alone; the quantizer leaves it empty.
        known = max(code.builtinCode, code.deprecatedBuiltinCode)
        code.deprecatedBuiltinCode = min(known, _LAST_OF_A_BYTE)
    builder = _AlignedBuilder(1 << 20)
    builder.Finish(model.Pack(builder), _MARK)
    with open(path, "wb") as file:
        file.write(builder.Output())


def _read(path: str) -> Any:
    """Return the model with its weights in it; the quantizer writes large ones after the rest."""
    with open(path, "rb") as file:
        content = bytearray(file.read())
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for one in model.buffers:
        if one.size:
            one.data = numpy.frombuffer(content, numpy.uint8, one.size, one.offset)
            one.offset = one.size = 0
    return model


def _name_values(model: Any, graph: Any) -> None:
    """Call values by their operators; the converter calls them by its own functions."""
    for number, step in enumerate(graph.operators):
        name = _kind(model, step)
        for at, place in enumerate(step.outputs):
            ending = f"_{at}" if at else ""
            graph.tensors[place].name = f"{name}_{number}{ending}".encode()


def _flatten_biases(model: Any, graph: Any) -> None:
    """Give biases one axis: those of transposed convolutions get four, and none in 8 bits runs."""
    for step in graph.operators:
        code = model.operatorCodes[step.opcodeIndex]
        is_transposed = code.builtinCode == schema.BuiltinOperator.TRANSPOSE_CONV
        if is_transposed and len(step.inputs) > _BIAS and step.inputs[_BIAS] >= 0:
            bias = graph.tensors[step.inputs[_BIAS]]
            bias.shape = [int(numpy.prod(bias.shape))]


def _join_activations(path: str) -> None:
    """Let activations compute in 8 bits that the quantizer leaves between two conversions.

    It knows no LEAKY_RELU, which LiteRT and the compilers of chips have in 8 bits.
    """
    model = _read(path)
    graph = model.subgraphs[0]
    kinds = {id(step): _kind(model, step) for step in graph.operators}
    makers = {place: step for step in graph.operators for place in step.outputs}
    joined = []
    for step in graph.operators:
        if kinds[id(step)] not in _JOINED:
            continue
        before = makers.get(step.inputs[0])
        readers = [one for one in graph.operators if step.outputs[0] in one.inputs]
        if before is None or len(readers) != 1 or step.outputs[0] in graph.outputs:
            continue
        if (kinds[id(before)], kinds[id(readers[0])]) == ("dequantize", "quantize"):
            graph.tensors[step.outputs[0]].name = b""  # the next value gets the name
            step.inputs, step.outputs = before.inputs, readers[0].outputs
            joined.append(id(readers[0]))
    read = {place for step in graph.operators for place in step.inputs} | set(graph.outputs)
    graph.operators = [
        step
        for step in graph.operators
        if id(step) not in joined
        and (kinds[id(step)] != "dequantize" or not read.isdisjoint(step.outputs))
    ]
    if joined:
        _write(model, path)


def _kind(model: schema.ModelT, step: schema.OperatorT) -> str:
    code = model.operatorCodes[step.opcodeIndex]
    return str(_OPERATORS.get(max(code.builtinCode, code.deprecatedBuiltinCode), "custom"))


def _in_order(maps: Sequence[Any], places: Sequence[int]) -> list[Any]:
    """Sort a signature's entries as the model's inputs or outputs are."""
    found: dict[int, list[Any]] = {}
    for one in maps:
        found.setdefault(one.tensorIndex, []).append(one)
    return [found[place].pop() for place in places]


def _answer(request: Json, tell: Tell) -> dict[str, str]:
    """Run it; returns the values that are wanted too, and that it has."""
    wanted = request.get("values") or []
    known = _values.read(_read(request["source"])) if wanted else {}
    values = {at: known[name] for at, name in enumerate(wanted) if name in known}
    interpreter = Interpreter(
        model_path=request["source"],
        num_threads=1,
        experimental_preserve_all_tensors=bool(values),
    )
    interpreter.allocate_tensors()
    inputs = {one["name"]: one for one in interpreter.get_input_details()}
    outputs = interpreter.get_output_details()
    paths = sorted(glob.glob(os.path.join(request["samples"], "*.npz")))
    for number, path in enumerate(paths):
        tell(number, len(paths), f"Running sample {number + 1} of {len(paths)}")
        with numpy.load(path, allow_pickle=False) as arrays:
            for name, one in inputs.items():
                interpreter.set_tensor(one["index"], _ends.given(one, arrays[name]))
        interpreter.invoke()
        made = {
            str(at): _ends.in_floats(one, interpreter.get_tensor(one["index"]))
            for at, one in enumerate(outputs)
        }
        for at, (place, shape) in values.items():
            made[f"value/{at}"] = _values.value(interpreter.get_tensor(place), shape)
        numpy.savez(os.path.join(request["answers"], os.path.basename(path)), **made)
    return {wanted[at]: "" for at in values}


def _reason(error: BaseException) -> str:
    text = str(error)
    if "Lowering not found" in text and (found := _OPERATOR.search(text)):
        return f"it has no form of the operator {found[1]}"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines or ["no reason given"])[0].rstrip(".")
