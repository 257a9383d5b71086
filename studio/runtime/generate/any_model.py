"""The load of a model for a server, whether it generates text or not."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

from ..backends.backend_model import BackendModel, LoadSettings
from ..backends.catalog import ServingBackend
from ..backends.loader import load_model
from .text_model import TextSettings


def load_any_model(
    path: Path,
    backend: ServingBackend,
    settings: LoadSettings,
    text: Optional[TextSettings] = None,
) -> BackendModel:
    """Load a model; only its own backend is imported.

    Args:
        text: Settings of a language model.

    Raises:
        LoadError: in one sentence, when the backend refuses the file.
        ModuleNotFoundError: when the backend's package is missing.
    """
    if not backend.generates:
        return load_model(path, backend, settings)
    from .served_text import ServedText

    text = text or TextSettings()
    return ServedText(path, backend, text._replace(threads=text.threads or settings.threads))
