"""Measurements of a folder as runs of their steps, so that the window and the tables show them."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from studio.documents.dataclass_json import InvalidDocument, JsonValue, from_json, to_json
from studio.features.evidence.explanations.results import ExplainResult
from studio.features.evidence.groups.results import GroupsResult
from studio.features.evidence.measurements import DRAWING_FILE, MAPS_FILE, SAMPLES_FILE
from studio.features.evidence.robustness.results import RobustnessResult
from studio.features.evidence.step import EvidenceOptions
from studio.registry import Artifact, Registry, below

_RECORDS = "records"

FormT = TypeVar("FormT")


def keep_measurements(registry: Registry, options: EvidenceOptions, folder: Path) -> None:
    """Record what was measured for a folder of evidence.

    The folder stays as it is: its files are copied into the store.
    """
    if options.records is None:
        return
    variant = options.records.variant.ref.variant
    kept = _Copies(registry, folder)
    groups = _read(GroupsResult, folder, "groups")
    if groups is not None:
        by: Mapping[str, JsonValue] = {"by": list(options.by)} if options.by else {}
        files = {"samples": kept.adopt(SAMPLES_FILE)}
        registry.add_run("groups", variant, by, to_json(groups), files)
    robustness = _read(RobustnessResult, folder, "robustness")
    if robustness is not None:
        registry.add_run("robustness", variant, {}, to_json(robustness))
    explained = _read(ExplainResult, folder, "explanations")
    if explained is not None:
        files = {"drawing": kept.adopt(DRAWING_FILE), "maps": kept.adopt(MAPS_FILE)}
        final = replace(explained, output=str(files["drawing"].path), maps=str(files["maps"].path))
        given = {"sample": [one.name for one in final.samples], "sanity": True}
        registry.add_run("explain", variant, given, to_json(final), files)


def _read(form: type[FormT], folder: Path, name: str) -> FormT | None:
    """Return a result that the worker has written; None where it was not measured."""
    path = below(folder, f"{_RECORDS}/{name}.json")
    if path.is_symlink() or not path.is_file():
        return None
    try:
        return from_json(form, json.loads(path.read_bytes()))
    except (ValueError, InvalidDocument):
        return None


class _Copies:
    """Copies of files of a folder in the store."""

    def __init__(self, registry: Registry, folder: Path) -> None:
        self._registry = registry
        self._folder = folder

    def adopt(self, name: str) -> Artifact:
        with tempfile.TemporaryDirectory(dir=self._folder.parent) as place:
            copy = Path(place, Path(name).name)
            shutil.copyfile(below(self._folder, name), copy)
            return self._registry.adopt(copy)
