"""The load of a model by the backend of its bundle."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from .backend_model import BackendModel, LoadSettings
from .catalog import LITERT, OPENVINO, ServingBackend


def load_model(path: Path, backend: ServingBackend, settings: LoadSettings) -> BackendModel:
    """Load a model; only its own backend is imported.

    Raises:
        LoadError: in one sentence, when the backend refuses the file.
        ModuleNotFoundError: when the backend's package is missing.
    """
    if backend is LITERT:
        from .litert import LiteRtModel

        return LiteRtModel(path, settings)
    if backend is OPENVINO:
        from .openvino import OpenVinoModel

        return OpenVinoModel(path, settings)
    from .onnx_runtime import OnnxModel

    return OnnxModel(path, settings)


def version_of(backend: ServingBackend) -> str:
    """Return the version of an installed backend.

    Raises:
        ModuleNotFoundError: when its package is missing.
    """
    return str(import_module(backend.module).__version__)
