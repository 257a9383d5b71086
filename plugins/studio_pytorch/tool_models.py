"""Models of PyTorch's own formats, loaded, exported and run; helpers for those of others.

Used by ``tool.py``: numpy, onnx and torch alone; nothing of the studio.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import onnx
import torch

Json = Mapping[str, Any]

safety: Any = importlib.import_module("tool_safety")
_values: Any = importlib.import_module("tool_values")

_FIXED_SCRIPT = (
    "The export has the sizes of --input alone, the batch included: the exporter that keeps sizes "
    "open refuses this TorchScript."
)
_LONGEST = 200

NO_WISH: Json = {"shape": None, "dtype": "", "dynamic": {}}
"""Defaults for an input that the user does not name."""

_AXES = {4: ("batch", "", "height", "width"), 3: ("batch", "length"), 2: ("batch", "length")}
"""Names of open axes, channels first."""

_EMBEDDED_LIMIT = 1 << 30
"""Bytes of weights in the file itself; protobuf ends at 2 GiB."""

NAMES = "onnx_names.json"
"""Entry of an archive that was made of ONNX: the names of its inputs and outputs."""

_LINE = re.compile(r'File "([^"]+)", line (\d+), in [^\n]*\n\s*([^\n]+)')


class ConversionError(Exception):
    """The fault of a request or a file, in one sentence."""


class ExportedModel:
    """An exported program (``.pt2``)."""

    axes = _AXES

    def __init__(self, path: str) -> None:
        # Extensions register the operators that detectors are exported with.
        with contextlib.suppress(ImportError):
            import torchvision.ops  # noqa: F401

        safety.check_export(path, _documents(path))
        extra = {NAMES: ""}
        with safety.no_pickles():
            self._program = torch.export.load(path, extra_files=extra)
        self._program._guards_code = []  # Python code of the file's own
        self._onnx_names = json.loads(extra[NAMES]) if extra[NAMES] else {}

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
        save(made, output)
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
            spec = inputs.get(node.name) or NO_WISH
            tensor = node.meta["val"]
            axes = [int(axis) for axis in spec["dynamic"]]
            sizes = spec["shape"] or _sizes(tensor.shape)
            # A size of 1 counts as fixed, whatever is wanted.
            sizes = [max(2, size) if at in axes else size for at, size in enumerate(sizes)]
            arguments.append(filled(sizes, tensor.dtype))
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
        arguments, keywords = self._call([torch.from_numpy(arrays[name]) for name in self.fed()])
        with torch.no_grad():
            return tensors(self._module(*arguments, **keywords))

    def fed(self) -> list[str]:
        """Names of its inputs in the ONNX model."""
        return list(self._onnx_names.get("inputs") or self.names())

    def inner(self, made: bool) -> Any:
        """Return its intermediate values."""
        if made:
            return _values.ProgramValues(self._program, of_onnx=True)
        return _values.ProgramValues(_values.exported(self._program))

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

    axes = _AXES

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
            filled(inputs[name]["shape"], getattr(torch, inputs[name]["dtype"] or "float32"))
            for name in names
        )
        given = tensors(self._module(*arguments))
        outputs = [f"output_{number}" for number in range(len(given))]
        if len(outputs) == 1:
            outputs = ["output"]
        axes = {
            name: _axes(inputs[name], array) for name, array in zip(names, arguments, strict=True)
        }
        opened = any(axes.values())
        batched = [name for name, one in zip(outputs, given, strict=True) if one.ndim]
        named = {"input_names": names, "output_names": outputs}
        try:
            torch.onnx.export(
                self._module,
                arguments,
                output,
                dynamo=False,
                dynamic_axes={
                    **axes,
                    **{name: {0: "batch"} for name in batched if opened},
                },
                **named,
            )
        except Exception as error:  # of many kinds; other exporters may take what it does not
            save(self._exported(arguments, named, error), output)
            return [_FIXED_SCRIPT]
        return []

    def _exported(self, arguments: Sequence[Any], named: Json, refusal: Exception) -> Any:
        """Export it with the sizes of the arguments, by what reads the code or records a run.

        Raises:
            ConversionError: with the refusal of the first exporter, and what to do.
        """
        for program in (self._converted, self._recorded):
            with contextlib.suppress(Exception):
                return torch.onnx.export(program(arguments), dynamo=True, verbose=False, **named)
        reason = next((one.strip() for one in str(refusal).splitlines() if one.strip()), "")
        raise ConversionError(
            f"No exporter of PyTorch takes this TorchScript ({reason[:_LONGEST].rstrip('.')}). "
            "Write the model as an exported program where its code is, and convert that: "
            "torch.export.save(torch.export.export(model, (x,)), 'model.pt2')."
        ) from refusal

    def _converted(self, arguments: Sequence[Any]) -> Any:
        """Return the program of its code, which a traced module has."""
        from torch._export.converter import TS2EPConverter

        made = TS2EPConverter(self._module, tuple(arguments), {}).convert()
        return torch.export.export(made.module(), tuple(arguments))  # with their sizes fixed

    def _recorded(self, arguments: Sequence[Any]) -> Any:
        """Return the operators of one run: the branches that these sizes take."""
        from torch.fx.experimental.proxy_tensor import make_fx

        # Without gradients, attention runs as one operator that ONNX has no form of.
        for one in self._module.parameters():
            one.requires_grad_(one.is_floating_point())
        run = make_fx(lambda *given: self._module(*given), tracing_mode="real")
        return torch.export.export(run(*arguments), tuple(arguments))

    def outputs(self, arrays: Mapping[str, Any]) -> list[Any]:
        """Run it as TorchScript does."""
        with torch.no_grad():
            return tensors(self._module(*(torch.from_numpy(arrays[one]) for one in self.names())))

    def line_of(self, node: str) -> str:
        """TorchScript's exporter names the line itself."""
        return ""

    def fed(self) -> list[str]:
        """Names of its inputs in the ONNX model."""
        return self.names()

    def inner(self, made: bool) -> None:
        """Return nothing: its exporter gives values other names."""


def _documents(path: str) -> Iterator[tuple[str, bytes]]:
    """Yield the members of an export as PyTorch's own reader finds them."""
    try:
        reader = torch._C.PyTorchFileReader(path)
        names = reader.get_all_records()
    except RuntimeError:
        return  # an export of an older version, which PyTorch reads as a plain archive
    for name in names:
        is_read = name.endswith(".json") and name.startswith(("models/", "data/"))
        yield name, reader.get_record(name) if is_read else b""


def tensors(value: object) -> list[Any]:
    """Tensors in the order in which the exporter gives outputs."""
    return [one for one in torch.utils._pytree.tree_leaves(value) if torch.is_tensor(one)]


def filled(shape: Sequence[int], dtype: Any) -> Any:
    """Return an example of an input: random numbers, or zeros where numbers are indices."""
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


def save(made: Any, output: str) -> None:
    """Write an exported model; large weights go into a file next to it."""
    size = sum(
        one.const_value.nbytes
        for one in made.model.graph.initializers.values()
        if one.const_value is not None
    )
    made.save(output, external_data=size > _EMBEDDED_LIMIT)


def _is_open(path: str) -> bool:
    graph = onnx.load(path, load_external_data=False).graph
    return any(one.dim_param for value in graph.input for one in value.type.tensor_type.shape.dim)
