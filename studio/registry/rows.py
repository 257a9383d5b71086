"""Records made from the rows of the registry's tables."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from studio.registry.records import (
    Artifact,
    ReleaseRecord,
    RunRecord,
    VariantRecord,
    VersionRecord,
)


def variant(row: sqlite3.Row) -> VariantRecord:
    """A variant, from its row joined with its model's name."""
    return VariantRecord(
        id=row["id"],
        model=row["model"],
        model_name=row["model_name"],
        name=row["name"],
        digest=row["digest"],
        path=Path(row["path"]),
        size=row["size"],
        format=row["format"],
        precision=row["precision"],
        parent=row["parent"],
        step=row["step"],
        options=json.loads(row["options"]),
        summary=json.loads(row["summary"]),
        graph_path=Path(row["graph"]) if row["graph"] else None,
        created=row["created"],
    )


def run(row: sqlite3.Row) -> RunRecord:
    """A run."""
    artifacts = {
        k: Artifact(v[0], Path(v[1]), v[2]) for k, v in json.loads(row["artifacts"]).items()
    }
    return RunRecord(
        row["id"],
        row["step"],
        row["variant"],
        json.loads(row["options"]),
        json.loads(row["result"]),
        artifacts,
        row["created"],
    )


def version(row: sqlite3.Row) -> VersionRecord:
    """A version."""
    return VersionRecord(
        id=row["id"],
        model=row["model"],
        number=row["number"],
        variant=row["variant"],
        digest=row["digest"],
        path=Path(row["path"]),
        counter=row["counter"],
        created=row["created"],
    )


def release(row: sqlite3.Row) -> ReleaseRecord:
    """A release."""
    return ReleaseRecord(
        row["id"],
        row["target"],
        row["version"],
        row["digest"],
        row["state"],
        json.loads(row["details"]),
        row["created"],
    )
