"""PyTorch exports, TorchScript modules, Keras models and folders of Hugging Face as ONNX."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from studio.api import (
    Converted,
    InputSpec,
    InvalidModel,
    Progress,
    ToolchainConverter,
    UsageError,
)
from studio_pytorch.tool_hub_carried import labels_of, metadata_of, preprocess_of
from studio_pytorch.tool_hub_files import CONFIG, PICTURES, README, FolderError, HubFolder

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
    title = "Transformers"
    sources = ("hugging-face", "language-folder")
    distribution = "transformers"
    tool = TOOL


class PyTorchWriter(ToolchainConverter):
    """The writer of programs of PyTorch from ONNX."""

    id = "pytorch-export"
    title = "PyTorch"
    sources = ("onnx",)
    distribution = "torch"
    tool = TOOL


class HubOnnxConverter:
    """The converter of folders of Hugging Face that have an ONNX file: it is taken as it is."""

    id = "hugging-face-onnx"
    title = "The studio"
    sources = ("hugging-face-onnx",)

    def version(self) -> str:
        """Return nothing: no framework takes part."""
        return ""

    def convert(
        self,
        source: Path,
        output: Path,
        inputs: Mapping[str, InputSpec],
        folder: Path,
        progress: Progress,
        settings: Mapping[str, object] | None = None,
    ) -> Converted:
        """Copy the ONNX file, and read what the folder knows of it.

        Raises:
            InvalidModel: for a file that leads out of the folder.
            UsageError: for sizes, which the file has.
        """
        if inputs:
            raise UsageError("The ONNX file of the folder has its sizes; they cannot be changed.")
        try:
            hub = HubFolder(str(source))
            _copy(Path(hub.onnx()), output)
            return _converted(hub)
        except FolderError as error:
            raise InvalidModel(str(error)) from None

    def answer(
        self, model: Path, samples: Path, answers: Path, folder: Path, progress: Progress
    ) -> None:
        """Raise: there is no other model to compare with.

        Raises:
            InvalidModel: always.
        """
        raise InvalidModel("the folder has the ONNX file itself, which was taken as it is.")


def _copy(model: Path, output: Path) -> None:
    """Copy a model with the weights next to it, whose names are in the file."""
    shutil.copyfile(model, output)
    for data in model.parent.glob(f"{model.name}[._]data*"):
        shutil.copyfile(HubFolder.inside(str(model.parent), data.name), output.with_name(data.name))


def _converted(hub: HubFolder) -> Converted:
    config = hub.json(CONFIG)
    labels, notes = labels_of(config)
    preprocess, doubts = preprocess_of(hub.json(PICTURES))
    metadata = metadata_of(config, hub.text(README))
    return Converted(
        "ONNX",
        (*notes, *doubts),
        labels=labels,
        preprocess=preprocess,
        metadata=metadata,
    )
