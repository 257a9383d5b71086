"""A small folder of evidence, without a model."""

from __future__ import annotations

from pathlib import Path

from studio.features.evidence.folder.manifest import FORMAT, MANIFEST, EvidenceList, files_of
from studio.features.evidence.results import PRESENT, AssessedVersion, Section

SUBJECT = AssessedVersion("digits", "int8", "ab" * 32, 2, "cd" * 32)
TEXTS = {"dossier.html": "<p>digits</p>", "records/a.json": '{"a": 1}', "records/b/c.csv": "x,y\n"}


def made(folder: Path) -> EvidenceList:
    """Write a folder with its list."""
    for name, text in TEXTS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    manifest = EvidenceList(
        FORMAT,
        SUBJECT,
        "2026-11-30T22:00:00+00:00",
        {"edgewright": "0"},
        (Section("model.summary", "Model summary", PRESENT),),
        files_of(folder, TEXTS),
    ).sealed()
    (folder / MANIFEST).write_text(manifest.text)
    return manifest
