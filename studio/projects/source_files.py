"""Files of a project that came out of a model of another framework: its labels, its preprocessing.

They are kept next to the registry under the digest of the converted model, so that they outlive
the source. A file of the user, or one in the model's folder, comes before them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from studio.datasets.suffixes import PREPROCESS
from studio.registry import Registry, VariantRecord, below
from studio.settings.files import write_atomically

FILES: Mapping[str, str] = {"labels": "labels.txt", "preprocess": PREPROCESS}
"""Names of the files by field of the project."""

_FOLDER = Path("projects", "converted")


def keep_carried(
    registry: Registry, variant: VariantRecord, texts: Mapping[str, str]
) -> dict[str, Path]:
    """Keep texts for a variant, by field of its project; return the files."""
    kept = {}
    for name, text in texts.items():
        kept[name] = _place(registry, variant) / FILES[name]
        write_atomically(kept[name], text.encode())
    return kept


def carried_files(registry: Registry, variant: VariantRecord) -> dict[str, Path]:
    """Return the files that are kept for a variant, by field of its project."""
    folder = _place(registry, variant)
    found = {name: folder / file for name, file in FILES.items()}
    return {name: path for name, path in found.items() if path.is_file()}


def _place(registry: Registry, variant: VariantRecord) -> Path:
    folder = registry.folder.parent / _FOLDER
    return below(folder, variant.digest)
