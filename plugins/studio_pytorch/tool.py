"""The conversion of PyTorch's files to ONNX, in the environment where PyTorch lives.

This one file, numpy, onnx, onnxscript and torch alone; nothing of the studio. ``run`` is called
as ``studio.api.converters`` describes.
"""

from __future__ import annotations

import contextlib
import functools
import glob
import logging
import os
import re
import traceback
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy
import onnx
import torch

Tell = Callable[..., None]
Json = Mapping[str, Any]

_EMBEDDED_LIMIT = 1 << 30
"""Bytes of weights in the file itself; protobuf ends at 2 GiB."""

_AXES = {4: ("batch", "", "height", "width"), 3: ("batch", "length"), 2: ("batch", "length")}
"""Names of open axes by the rank of the first input that has them."""

_SYMBOL = re.compile(r"\bs\d+\b")
_OPERATOR = re.compile(r"No ONNX function found for <OpOverload\(op='([\w.:]+)'")
_NODE = re.compile(r"translating node %(\w+) ")
_LINE = re.compile(r'File "([^"]+)", line (\d+), in [^\n]*\n\s*([^\n]+)')
_ARCHIVES = {"serialized_exported_program.json", "archive_format"}


class TorchModel(Protocol):
    """A file of PyTorch's that was loaded."""

    def names(self) -> list[str]:
        """Names of its inputs."""

    def export(self, output: str, inputs: Mapping[str, Json]) -> list[str]:
        """Write it as ONNX; returns what the user should know."""

    def outputs(self, arrays: Mapping[str, Any]) -> list[Any]:
        """Run it; its outputs in the order of the exported model's."""

    def line_of(self, node: str) -> str:
        """Return the line of code of a node, as the end of a sentence; empty if not known."""


class ExportedModel:
    """An exported program (``.pt2``)."""

    def __init__(self, path: str) -> None:
        # Extensions register the operators that detectors are exported with.
        with contextlib.suppress(ImportError):
            import torchvision.ops  # noqa: F401

        self._program = torch.export.load(path)

    def names(self) -> list[str]:
        """Names of its inputs."""
        return [str(name) for name in self._program.graph_signature.user_inputs]

    def export(self, output: str, inputs: Mapping[str, Json]) -> list[str]:
        """Write it as ONNX by the exporter that keeps its dynamic sizes."""
        told: list[str] = []
        program = self._program
        if any(spec["dynamic"] or spec["shape"] for spec in inputs.values()):
            program = self._again(inputs)
        made = torch.onnx.export(
            program, dynamo=True, verbose=False, output_names=self._output_names()
        )
        assert made is not None
        _save(made, output)
        if not _is_open(output):
            first = next(iter(self.names()), "x")
            told.append(
                "The export has fixed sizes, the batch included: "
                f"--dynamic {first}=batch tries to open the batch."
            )
        return told

    def _again(self, inputs: Mapping[str, Json]) -> Any:
        """Export it once more with other sizes."""
        shapes: list[Any] = []
        arguments: list[Any] = []
        for node in self._nodes():
            spec = inputs.get(node.name) or {"shape": None, "dtype": "", "dynamic": {}}
            tensor = node.meta["val"]
            axes = [int(axis) for axis in spec["dynamic"]]
            sizes = spec["shape"] or _sizes(tensor.shape)
            # A size of 1 counts as fixed, whatever is wanted.
            sizes = [max(2, size) if at in axes else size for at, size in enumerate(sizes)]
            arguments.append(_filled(sizes, tensor.dtype))
            shapes.append(dict.fromkeys(axes, torch.export.Dim.DYNAMIC) or None)
        positional, keywords = self._call(arguments)
        wanted, named = self._call(shapes)
        return torch.export.export(
            self._module, positional, keywords, dynamic_shapes=(*wanted, *named.values())
        )

    def _nodes(self) -> list[Any]:
        wanted = set(self.names())
        return [one for one in self._program.graph.nodes if one.name in wanted]

    def outputs(self, arrays: Mapping[str, Any]) -> list[Any]:
        """Run it as the program that it is."""
        arguments, keywords = self._call([torch.from_numpy(arrays[name]) for name in self.names()])
        with torch.no_grad():
            return _flat(self._module(*arguments, **keywords))

    @functools.cached_property
    def _module(self) -> Any:
        """The program to be called, with sizes that its guards and checks may not know."""
        module = self._program.module(check_guards=False)
        module._forward_pre_hooks.clear()
        return module

    def line_of(self, node: str) -> str:
        """Return the line of code of a node, as the end of a sentence; empty if not known."""
        nodes = self._program.graph.nodes
        # Where the exporter has taken a node to pieces, its operator is part of the name before.
        named = [one for one in nodes if one.name == node.strip("_") or node.strip("_") in one.name]
        traces = (one.stack_trace for one in named)
        lines = _LINE.findall(next(traces, None) or "")
        if not lines:
            return ""
        path, number, code = lines[-1]
        return f", from {os.path.basename(path)}, line {number}: {code.strip()}"

    def _call(self, values: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Values for all inputs as arguments of the program."""
        arguments, keywords = torch.utils._pytree.tree_unflatten(
            list(values), self._program.call_spec.in_spec
        )
        return tuple(arguments), dict(keywords)

    def _output_names(self) -> list[str] | None:
        """The keys of a program that returns a mapping; None for any other."""
        spec = self._program.call_spec.out_spec
        made = torch.utils._pytree.tree_unflatten(list(range(spec.num_leaves)), spec)
        if not isinstance(made, Mapping) or list(made.values()) != list(range(spec.num_leaves)):
            return None
        return [str(name) for name in made]


class ScriptedModel:
    """A module in TorchScript, scripted or traced."""

    def __init__(self, path: str) -> None:
        self._module = torch.jit.load(path, map_location="cpu").eval()

    def names(self) -> list[str]:
        """Names of its inputs."""
        return [one.name for one in self._module.forward.schema.arguments[1:]]

    def export(self, output: str, inputs: Mapping[str, Json]) -> list[str]:
        """Write it as ONNX by the exporter that reads TorchScript."""
        names = self.names()
        missing = [name for name in names if not (inputs.get(name) or {}).get("shape")]
        if missing:
            wanted = " ".join(f"--input {name}=1,3,224,224" for name in missing)
            raise ConversionError(
                f"TorchScript records no shapes of its inputs. Give them, such as {wanted}."
            )
        arguments = tuple(
            _filled(inputs[name]["shape"], getattr(torch, inputs[name]["dtype"] or "float32"))
            for name in names
        )
        given = _flat(self._module(*arguments))
        outputs = [f"output_{number}" for number in range(len(given))]
        if len(outputs) == 1:
            outputs = ["output"]
        axes = {
            name: _axes(inputs[name], array) for name, array in zip(names, arguments, strict=True)
        }
        opened = any(axes.values())
        batched = [name for name, one in zip(outputs, given, strict=True) if one.ndim]
        torch.onnx.export(
            self._module,
            arguments,
            output,
            dynamo=False,
            input_names=names,
            output_names=outputs,
            dynamic_axes={
                **axes,
                **{name: {0: "batch"} for name in batched if opened},
            },
        )
        return []

    def outputs(self, arrays: Mapping[str, Any]) -> list[Any]:
        """Run it as TorchScript does."""
        with torch.no_grad():
            return _flat(self._module(*(torch.from_numpy(arrays[one]) for one in self.names())))

    def line_of(self, node: str) -> str:
        """TorchScript's exporter names the line itself."""
        return ""


class ConversionError(Exception):
    """The fault of a request or a file, in one sentence."""


def run(request: Json, tell: Tell) -> dict[str, Any]:
    """Convert a file, or run it on samples; what goes wrong is in ``error``."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    try:
        return {"warnings": _done(request, tell)}
    except ConversionError as error:
        return {"error": str(error)}


def _done(request: Json, tell: Tell) -> list[str]:
    name = os.path.basename(request["source"])
    tell(0.0, 0.0, "Loading the model")
    with _explained(f"PyTorch cannot load {name}"):
        source = _load(request["source"])
    if request["work"] == "answer":
        with _explained(f"PyTorch cannot run {name} on the samples"):
            _answer(source, request, tell)
        return []
    inputs = _by_name(request["inputs"], source.names())
    tell(0.0, 0.0, "Exporting to ONNX")
    with _explained(f"PyTorch cannot export {name}", source):
        notes = source.export(request["output"], inputs)
    _name_axes(request["output"], inputs)
    return notes


def _by_name(inputs: Mapping[str, Json], names: Sequence[str]) -> dict[str, Json]:
    """The user's shapes, types and axes by the names of the model's inputs."""
    known = ", ".join(names)
    if "*" in inputs and len(names) != 1:
        raise ConversionError(
            f"The model has several inputs: {known}. Give each shape with a name."
        )
    found = {names[0] if name == "*" else name: spec for name, spec in inputs.items()}
    unknown = sorted(set(found) - set(names))
    if unknown:
        raise ConversionError(f"The model has no input {unknown[0]!r}; it has {known}.")
    return found


@contextlib.contextmanager
def _explained(what: str, source: TorchModel | None = None) -> Iterator[None]:
    """Turn an exception of the framework into one sentence; its whole text goes to the log."""
    try:
        yield
    except (ConversionError, MemoryError):
        raise
    except Exception as error:
        traceback.print_exc()
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = _unsupported(error, source) or (lines[0] if lines else type(error).__name__)
        raise ConversionError(f"{what}: {reason.rstrip('.')}.") from None


def _unsupported(error: BaseException | None, source: TorchModel | None) -> str:
    """The operator that the exporter does not know, and the line of code that it comes from."""
    operator = node = ""
    while error is not None:
        text = str(error)
        operator = operator or (found[1] if (found := _OPERATOR.search(text)) else "")
        node = node or (found[1] if (found := _NODE.search(text)) else "")
        error = error.__cause__
    if not operator:
        return ""
    place = source.line_of(node) if source is not None else ""
    return f"ONNX has no form of its operator {operator}{place}"


def _load(path: str) -> TorchModel:
    with zipfile.ZipFile(path) as archive:
        whole = archive.namelist()
    names = {name.partition("/")[2] for name in whole} | set(whole)
    return ExportedModel(path) if names & _ARCHIVES else ScriptedModel(path)


def _answer(source: TorchModel, request: Json, tell: Tell) -> None:
    paths = sorted(glob.glob(os.path.join(request["samples"], "*.npz")))
    for number, path in enumerate(paths):
        tell(number, len(paths), f"Running sample {number + 1} of {len(paths)}")
        with numpy.load(path, allow_pickle=False) as arrays:
            outputs = source.outputs({name: arrays[name] for name in arrays.files})
        made = {str(at): one.detach().cpu().numpy() for at, one in enumerate(outputs)}
        numpy.savez(os.path.join(request["answers"], os.path.basename(path)), **made)


def _flat(value: Any) -> list[Any]:
    """Tensors in the order in which the exporter gives outputs."""
    return [one for one in torch.utils._pytree.tree_leaves(value) if torch.is_tensor(one)]


def _filled(shape: Sequence[int], dtype: Any) -> Any:
    if dtype.is_floating_point:
        return torch.rand(tuple(shape), dtype=dtype)
    return torch.zeros(tuple(shape), dtype=dtype)


def _sizes(shape: Sequence[Any]) -> list[int]:
    """Sizes as numbers; an open one gets the example's, which is 2 at least."""
    return [int(one) if isinstance(one, int) else max(2, int(one.node.hint or 2)) for one in shape]


def _axes(spec: Json, array: Any) -> dict[int, str]:
    """Open axes of an input of TorchScript: those named, else the batch."""
    named = {int(axis): name for axis, name in spec["dynamic"].items()}
    return named or ({0: "batch"} if array.ndim > 1 else {})


def _save(made: Any, output: str) -> None:
    size = sum(
        one.const_value.nbytes
        for one in made.model.graph.initializers.values()
        if one.const_value is not None
    )
    made.save(output, external_data=size > _EMBEDDED_LIMIT)


def _is_open(path: str) -> bool:
    graph = onnx.load(path, load_external_data=False).graph
    return any(one.dim_param for value in graph.input for one in value.type.tensor_type.shape.dim)


def _name_axes(path: str, inputs: Mapping[str, Json]) -> None:
    """Give open sizes names that people use instead of the exporter's symbols."""
    model = onnx.load(path, load_external_data=False)
    names = dict(_names(model.graph.input, inputs))
    if not names:
        return
    for value in _values(model.graph):
        for one in value.type.tensor_type.shape.dim:
            if one.dim_param:
                one.dim_param = _SYMBOL.sub(lambda m: names.get(m[0], m[0]), one.dim_param)
    onnx.save(model, path)


def _names(values: Sequence[Any], inputs: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    taken: dict[str, str] = {}
    for value in values:
        sizes = value.type.tensor_type.shape.dim
        usual = _AXES.get(len(sizes), ("batch",))
        wanted = (inputs.get(value.name) or {}).get("dynamic") or {}
        for axis, one in enumerate(sizes):
            symbol = one.dim_param
            if not _SYMBOL.fullmatch(symbol) or symbol in taken.values():
                continue
            name = wanted.get(str(axis)) or (usual[axis] if axis < len(usual) else "")
            name = name or f"{value.name}_{axis}"
            if name in taken:
                name = f"{value.name}_{name}"
            taken[name] = symbol
            yield symbol, name


def _values(graph: Any) -> Iterator[Any]:
    yield from graph.input
    yield from graph.output
    yield from graph.value_info
