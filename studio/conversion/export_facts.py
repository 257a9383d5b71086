"""Labels, preprocessing and metadata of a model, for formats that hold them."""

from __future__ import annotations

from pathlib import Path

from studio.api import Model
from studio.datasets.preprocess import Preprocess
from studio.datasets.text_lines import text_lines
from studio.settings.project_preprocess import ProjectPreprocess

_TEXTS = ("author", "description", "license", "version")
"""Entries of an ONNX file's metadata that other formats have, too."""


def facts_of(model: Model, labels: Path | None) -> dict[str, object]:
    """Return settings of a converter: ``labels``, ``preprocess`` and ``metadata``, where known.

    Args:
        labels: A file with the names of the classes.

    Raises:
        InvalidData: when the preprocessing of the project cannot be read.
    """
    path = ProjectPreprocess.path
    known = {key: model.metadata[key] for key in _TEXTS if key in model.metadata}
    found: dict[str, object] = {
        "labels": [line.strip() for line in text_lines(labels)],
        "preprocess": Preprocess.from_toml(path).to_json() if path and path.is_file() else {},
        "metadata": known,
    }
    return {key: value for key, value in found.items() if value}
