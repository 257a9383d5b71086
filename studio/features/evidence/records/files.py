"""The files of an evidence folder with the records, without paths of this computer."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

from studio.documents.dataclass_json import to_json
from studio.features.evidence.records.records import DECISIONS, RecordedRun, Records

REQUEST_FILE = "records/request.json"
MOST_BYTES = 128 << 20
"""Largest file of a run that is copied."""


def write_records(records: Records, folder: Path) -> dict[str, str]:
    """Write the records as JSON files; returns their names with what each holds."""
    written: dict[str, str] = {}
    documents: dict[str, tuple[str, Any]] = {
        "variant": ("the variant and the summary of its file", records.variant),
        "reference": ("the model that the variant was made of", records.reference),
        "ancestors": ("the variant and what it was made of", records.ancestors),
        "project": ("task, data and settings of the model", records.project),
        "releases": ("changes of releases on targets", _with_flags(records)),
        "moves": ("moves of aliases", records.moves),
        "monitoring": ("configured watch of the targets", records.setup),
    }
    if records.grid is not None:
        documents["grid"] = ("carbon dioxide of electricity, with its source", records.grid)
    if records.lineage is not None:
        documents["lineage"] = ("the version, its tools and its packaging", records.lineage)
    for run in records.runs:
        documents[run.name] = (f"the run of {run.step} on {run.at[:19]} UTC", run)
    for name, (title, value) in documents.items():
        write_record(folder / "records" / f"{name}.json", to_json(value))
        written[f"records/{name}.json"] = title
    # Texts of persons are chained, so a path among them stays.
    write_document(folder / "records" / "incidents.json", to_json(records.incidents))
    written["records/incidents.json"] = "incidents with their entries"
    for run in records.runs:
        for key, kept in run.files.items():
            source = Path(kept.path)
            if run.step == DECISIONS and source.is_file() and kept.bytes <= MOST_BYTES:
                name = chain_file(run)
                _copy(source, folder / name)
                written[name] = "decisions of a period, with their chain"
                continue
            if source.suffix != ".json" or not source.is_file() or kept.bytes > MOST_BYTES:
                continue
            name = f"records/{run.name}/{key}.json"
            write_record(folder / name, json.loads(source.read_bytes()))
            written[name] = f"{key} of the run of {run.step}"
    return written


def chain_file(run: RecordedRun) -> str:
    """Return the name of the file with the decisions of a run, which is copied byte by byte."""
    return f"records/{run.name}/decisions.jsonl"


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def without_paths(value: Any) -> Any:
    """Return a document in which absolute paths are names only.

    The folders of a computer name its user and its customers, and mean nothing elsewhere.
    """
    if isinstance(value, str):
        return PurePath(value).name if value.startswith("/") and "\n" not in value else value
    if isinstance(value, Mapping):
        return {key: without_paths(part) for key, part in value.items()}
    return [without_paths(part) for part in value] if isinstance(value, list) else value


def _with_flags(records: Records) -> list[dict[str, Any]]:
    """Return the releases with what their counts are made of."""
    return [
        {**to_json(release), "was_on_trial": release.was_on_trial} for release in records.releases
    ]


def write_record(path: Path, document: Any) -> None:
    """Write a document in a form that does not depend on this computer."""
    write_document(path, without_paths(document))


def write_document(path: Path, document: Any) -> None:
    """Write a document as it is, with sorted keys."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(document, indent=1, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")
