"""PyTorch exports, TorchScript modules and Keras models as ONNX."""

from __future__ import annotations

from pathlib import Path

from studio.api import ToolchainConverter

TOOL = Path(__file__).with_name("tool.py")


class PyTorchConverter(ToolchainConverter):
    """The converter: PyTorch's own exporter, in PyTorch's own environment."""

    id = "pytorch"
    title = "PyTorch"
    sources = ("pytorch-export", "torchscript")
    distribution = "torch"
    tool = TOOL


class KerasConverter(ToolchainConverter):
    """The converter of Keras models, which PyTorch computes and exports."""

    id = "keras"
    title = "Keras"
    sources = ("keras", "keras-hdf5")
    distribution = "keras"
    tool = TOOL


class TransformersConverter(ToolchainConverter):
    """The converter of folders of Hugging Face, whose models transformers builds."""

    id = "transformers"
    title = "transformers"
    sources = ("hugging-face", "safetensors")
    distribution = "transformers"
    tool = TOOL


class PyTorchWriter(ToolchainConverter):
    """The writer of programs of PyTorch from ONNX."""

    id = "pytorch-export"
    title = "PyTorch"
    sources = ("onnx",)
    distribution = "torch"
    tool = TOOL
