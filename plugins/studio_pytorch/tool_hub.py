"""Models of Hugging Face transformers, built from a folder and exported by PyTorch.

Used by ``tool.py``: torch, transformers and safetensors alone; nothing of the studio. The library
gets a checked configuration and tensors, never the folder, so it reads no further file of it.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from typing import Any

# Before the import: nothing is looked up on a network.
os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"

import numpy
import safetensors.torch
import torch

Json = Mapping[str, Any]

_parts: Any = importlib.import_module("tool_models")
_files: Any = importlib.import_module("tool_hub_files")
_carried: Any = importlib.import_module("tool_hub_carried")
_values: Any = importlib.import_module("tool_values")
_config: Any = importlib.import_module("tool_hub_config")
_inputs: Any = importlib.import_module("tool_hub_inputs")

_AXES = {4: ("batch", "", "height", "width"), 3: ("batch", "length"), 2: ("batch", "length")}
_SAMPLES = "samples.npz"
"""The file of made-up samples, in the folder that the tool is started in."""

_NAMED = 3
_SLACK = 1 << 20
_MOST_SHARE = 1.5
"""Numbers that a model may have for each one of its weights: some heads are not in the files."""

_POOLER = "pooler"


class HubModel:
    """A model of transformers with the weights of its folder."""

    axes = _AXES
    shares_axes = True

    def __init__(self, path: str) -> None:
        try:
            self._folder = _files.HubFolder(path)
            self._load()
        except _files.FolderError as error:
            raise _parts.ConversionError(str(error)) from None

    def _load(self) -> None:
        self._given = self._folder.json(_files.CONFIG)
        self._pictures = self._folder.json(_files.PICTURES)
        kind, config = _config.model_of(self._given)
        paths = self._folder.weights()
        _check_size(kind, config, paths)
        self._notes: list[str] = []
        self._model = self._built(kind, config, _tensors(paths)).eval()
        self._inputs = _inputs.inputs_of(
            self._model, self._folder.json(_files.TOKENIZER), self._pictures
        )
        self._wrapped = _Positional(self._model, self.names()).eval()

    def _built(self, kind: Any, config: Any, tensors: Mapping[str, Any]) -> Any:
        model, report = _loaded(kind, config, tensors)
        missing = sorted(report["missing_keys"])
        if missing and all(_POOLER in name for name in missing):
            self._notes.append("The weights have no pooler, so there is no output pooler_output.")
            model, report = _loaded(kind, config, tensors, add_pooling_layer=False)
            missing = sorted(report["missing_keys"])
        if missing or report["mismatched_keys"]:
            wrong = missing or sorted(str(one[0]) for one in report["mismatched_keys"])
            how = "lack" if missing else "have other sizes for"
            raise _parts.ConversionError(
                f"The weights do not fit {_files.CONFIG}: they {how} {_listed(wrong)}."
            )
        if unexpected := sorted(report["unexpected_keys"]):
            name = kind.__name__
            self._notes.append(f"Weights that {name} has no use for: {_listed(unexpected)}.")
        return model

    def names(self) -> list[str]:
        """Names of its inputs."""
        return [one.name for one in self._inputs]

    def export(self, output: str, inputs: Mapping[str, Json]) -> list[str]:
        """Write it as ONNX with an open batch, and an open length of texts and sounds."""
        program, outputs = self._program(inputs)
        with torch.no_grad():
            made = torch.onnx.export(
                program, dynamo=True, verbose=False, input_names=self.names(), output_names=outputs
            )
        assert made is not None
        _parts.save(made, output)
        rows = {one.name: one.samples(inputs.get(one.name)) for one in self._inputs}
        numpy.savez(_SAMPLES, **_inputs.padded(rows, self._model.config))
        return self._notes

    def _program(self, inputs: Mapping[str, Json]) -> tuple[Any, list[str]]:
        """Return the exported program, and the names of its outputs."""
        examples, opened = [], []
        for one in self._inputs:
            spec = inputs.get(one.name) or _parts.NO_WISH
            axes = sorted({*one.open_axes, *(int(axis) for axis in spec["dynamic"])})
            sizes = list(spec["shape"] or one.shape)
            sizes = [max(2, size) if at in axes else size for at, size in enumerate(sizes)]
            examples.append(one.filled(sizes))
            # No names here: one of the length would also need the model's longest text.
            opened.append(dict.fromkeys(axes, torch.export.Dim.DYNAMIC))
        outputs = self._output_names(examples)
        shapes = {"values": tuple(opened)}
        with torch.no_grad():
            program = torch.export.export(
                self._wrapped, tuple(examples), dynamic_shapes=shapes, strict=False
            )
        return program, outputs

    def fed(self) -> list[str]:
        """Names of its inputs in the ONNX model."""
        return self.names()

    def inner(self, made: bool) -> Any:
        """Return its intermediate values, each with its line of transformers."""
        program, _ = self._program({})
        return _values.ProgramValues(_values.exported(program))

    def more(self) -> tuple[dict[str, Any], list[str]]:
        """Return what its folder knows of it, and what is lost of that."""
        labels, notes = _carried.labels_of(self._given)
        channels = next((one.shape[1] for one in self._inputs if one.is_picture), 3)
        preprocess, doubts = _carried.preprocess_of(self._pictures, channels)
        metadata = _carried.metadata_of(self._given, self._folder.text(_files.README))
        known = {"labels": labels, "preprocess": preprocess, "metadata": metadata}
        return {**known, "samples": True}, [*notes, *doubts]

    def outputs(self, arrays: Mapping[str, Any]) -> list[Any]:
        """Run it as transformers does."""
        with torch.no_grad():
            return list(self._wrapped(*(torch.from_numpy(arrays[one]) for one in self.names())))

    def line_of(self, node: str) -> str:
        """Return nothing: the lines are those of transformers."""
        return ""

    def _output_names(self, examples: Sequence[Any]) -> list[str]:
        with torch.no_grad():
            self._wrapped(*examples)
        return list(self._wrapped.outputs)


class _Positional(torch.nn.Module):  # type: ignore[misc]
    """A model that takes its inputs one by one, and returns the tensors among its outputs.

    Attributes:
        outputs: Their names, after the first call.
    """

    def __init__(self, model: Any, names: Sequence[str]) -> None:
        super().__init__()
        self._model = model
        self._names = tuple(names)
        self.outputs: tuple[str, ...] = ()

    def forward(self, *values: Any) -> Any:
        found = self._model(**dict(zip(self._names, values, strict=True)), return_dict=True)
        tensors = {name: one for name, one in found.items() if torch.is_tensor(one)}
        if any("hidden_state" not in name for name in tensors) and "logits" in tensors:
            tensors = {name: one for name, one in tensors.items() if "hidden_state" not in name}
        self.outputs = tuple(tensors)
        return tuple(tensors.values())


def _loaded(kind: Any, config: Any, tensors: Mapping[str, Any], **more: Any) -> tuple[Any, Json]:
    model, report = kind.from_pretrained(
        None,
        config=config,
        state_dict=dict(tensors),
        dtype=torch.float32,
        attn_implementation=_config.ATTENTION,
        local_files_only=True,
        ignore_mismatched_sizes=True,
        output_loading_info=True,
        **more,
    )
    return model, report


def _tensors(paths: Sequence[str]) -> dict[str, Any]:
    """Return the weights of all files; a pickle is read as tensors alone."""
    found: dict[str, Any] = {}
    for path in paths:
        if _files.is_pickled(path):
            with _parts.safety.no_pickles():
                loaded = torch.load(path, map_location="cpu", weights_only=True)
            found |= {name: one for name, one in loaded.items() if torch.is_tensor(one)}
        else:
            found |= safetensors.torch.load_file(path)
    return found


def _check_size(kind: Any, config: Any, paths: Sequence[str]) -> None:
    """Build the model without memory, and compare its size with that of the weights.

    Raises:
        ConversionError: when the configuration describes a much larger model.
    """
    held = sum(
        os.path.getsize(path) // 2 if _files.is_pickled(path) else _files.numbers_of(path)
        for path in paths
    )
    with torch.device("meta"):
        model = kind(config)
    numbers = sum(one.numel() for one in model.parameters())
    tables = sum(one.numel() for one in model.buffers())
    if max(numbers, tables) > held * _MOST_SHARE + _SLACK:
        raise _parts.ConversionError(
            f"{_files.CONFIG} describes a model of {max(numbers, tables):,} numbers, and its "
            f"weights have {held:,}."
        )


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - _NAMED
    first = ", ".join(_files.shortened(name) for name in names[:_NAMED])
    return f"{first} and {rest:,} more" if rest > 0 else first
