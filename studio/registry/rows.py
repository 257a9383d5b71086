"""Records from the rows of the registry's tables."""

from __future__ import annotations

import json

from studio.documents.dataclass_json import from_json
from studio.registry.database import DatabaseRow
from studio.registry.records import (
    ReleaseRecord,
    RunRecord,
    VariantRecord,
    VersionRecord,
)

_DOCUMENTS = ("options", "result", "summary", "details")
"""Columns that hold JSON."""


def variant(row: DatabaseRow) -> VariantRecord:
    """Return a variant from its row joined with its model's name."""
    return from_json(VariantRecord, {**_values(row), "graph_path": row["graph"]})


def run(row: DatabaseRow) -> RunRecord:
    """Return a run."""
    names = ("digest", "path", "size")
    artifacts = {
        name: dict(zip(names, facts, strict=True))
        for name, facts in json.loads(row["artifacts"]).items()
    }
    return from_json(RunRecord, {**_values(row), "artifacts": artifacts})


def version(row: DatabaseRow) -> VersionRecord:
    """Return a version."""
    return from_json(VersionRecord, _values(row))


def release(row: DatabaseRow) -> ReleaseRecord:
    """Return a release."""
    return from_json(ReleaseRecord, _values(row))


def _values(row: DatabaseRow) -> dict[str, object]:
    """Return the columns by name, with parsed JSON documents."""
    return {
        name: json.loads(value) if name in _DOCUMENTS else value
        for name, value in dict(row).items()
    }
