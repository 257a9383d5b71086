"""What a source knows of its model, as texts for the project and metadata of the ONNX file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from studio.api import Converted, InvalidData
from studio.conversion.metadata import add_metadata
from studio.datasets.preprocess import Preprocess
from studio.documents.plain import one_line
from studio.documents.toml_text import literal

_HEAD = "# From {}.\n"
_MOST_TEXT = 1 << 20
"""Characters of a list of labels; the lists of models have some thousand lines."""


def texts_of(made: Converted, source: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return labels and preprocessing as texts by field of the project, and warnings."""
    found, warnings = {}, []
    labels = "".join(f"{one_line(label).strip()}\n" for label in made.labels)
    if len(labels) > _MOST_TEXT:
        warnings.append("The labels of the source are too long to be kept.")
    elif labels:
        found["labels"] = labels
    try:
        if made.preprocess:
            found["preprocess"] = _preprocess(made.preprocess, source)
    except InvalidData as error:
        warnings.append(f"The preprocessing of the source is not kept: {error.message}")
    return found, tuple(warnings)


def _preprocess(settings: Mapping[str, object], source: Path) -> str:
    """Return the text of a ``preprocess.toml``.

    Raises:
        InvalidData: for a setting that does not exist or does not fit.
    """
    Preprocess.from_json(cast("Mapping[str, Any]", settings))
    lines = (f"{name} = {literal(value)}\n" for name, value in settings.items())
    return _HEAD.format(one_line(source.name)) + "".join(lines)


def described(output: Path, metadata: Mapping[str, str]) -> dict[str, str]:
    """Write metadata into a new ONNX file, where it has none of that name; return what it is."""
    known = dict(_plain(metadata))
    add_metadata(output, known)
    return known


def _plain(metadata: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in metadata.items():
        value = text.strip()
        if value and name.isprintable():
            yield name, value
