"""The files of an encoder of texts next to its model, as sentence-transformers lays them out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from studio.runtime.shared.documents import read_record

TOKENIZER, MODULES = "tokenizer.json", "modules.json"

_FILES = (
    *(TOKENIZER, "tokenizer_config.json", "config.json", "sentence_bert_config.json", MODULES),
    "config_sentence_transformers.json",
)
_SUFFIXES = (".onnx", ".xml")
_MOST_JSON = 16 << 20
_MOST_MODULES = 16

Settings = Mapping[str, object]


class _Module(NamedTuple):
    """A step of an encoder."""

    type: str = ""
    path: str = ""


def encoder_files(path: Path) -> tuple[Path, ...]:
    """Return the files next to a model that an encoder of texts needs; none without a tokenizer."""
    folder = path.parent
    if path.suffix.lower() not in _SUFFIXES or not (folder / TOKENIZER).is_file():
        return ()
    pooling = _pooling_file(folder)
    found = (*(folder / name for name in _FILES), *((pooling,) if pooling else ()))
    return tuple(one for one in found if one.is_file())


def module_settings(folder: Path) -> dict[str, Settings]:
    """Return the settings of the steps of an encoder by their kind; empty without a list of them.

    The kind is the last part of a type, such as ``Pooling``.
    """
    found: dict[str, Settings] = {}
    for kind, place in _modules(folder):
        found[kind] = settings_of(folder / place / "config.json") if place else {}
    return found


def settings_of(path: Path) -> Settings:
    """Return a JSON object; empty where it is missing, too large or damaged."""
    found = _read(path)
    return found if isinstance(found, dict) else {}


def _pooling_file(folder: Path) -> Path | None:
    place = next((place for kind, place in _modules(folder) if kind == "Pooling"), "")
    return folder / place / "config.json" if place else None


def _modules(folder: Path) -> list[tuple[str, str]]:
    """Return kind and folder of each step; a folder outside of the model's is empty."""
    listed = _read(folder / MODULES)
    found = []
    for one in listed[:_MOST_MODULES] if isinstance(listed, list) else []:
        module = read_record(_Module, one if isinstance(one, dict) else {})
        inside = Path(module.path).name == module.path
        found.append((module.type.rpartition(".")[2], module.path if inside else ""))
    return found


def _read(path: Path) -> object:
    try:
        if not path.is_file() or path.stat().st_size > _MOST_JSON:
            return None
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
