"""A whole folder of evidence about nothing: one figure of a record, and all documents."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from studio.features.evidence.documents import documents
from studio.features.evidence.dossier.outline import outline
from studio.features.evidence.dossier.statement import Statement, StatementTable
from studio.features.evidence.folder.manifest import FORMAT, MANIFEST, EvidenceList, files_of
from studio.features.evidence.frameworks.catalogue import shipped
from studio.features.evidence.records.collect import tools
from studio.features.evidence.results import Figure
from tests.features.evidence.bom.made import BOM

FIGURE = Figure(
    "quality",
    "Top-1 accuracy",
    0.811,
    count=450,
    file="records/a.json",
    method="field",
    arguments={"place": ["top1"]},
    section="quality.metrics",
)
RECORD = "records/a.json"


def write_folder(folder: Path) -> None:
    """Write the folder, sealed and not signed."""
    (folder / "records").mkdir(parents=True)
    (folder / RECORD).write_text(json.dumps({"top1": 0.811}))
    table = StatementTable(("bin", "samples"), (("0.5 to 1", 450), (None, 0.5)), "Bins", " n")
    statement = Statement("quality.metrics", note="measured", tables=(table,), figures=(FIGURE,))
    files = {RECORD: "a record"}
    frameworks = shipped()
    dossier = outline(BOM.subject, BOM.created, tools(), [statement], {}, frameworks, files)
    bom = replace(BOM, tools=tools(), quality=(FIGURE,), groups=(), energy=())
    for name, content in documents(dossier, bom, folder):
        (folder / name).write_bytes(content)
    sections, subject = dossier.sections, dossier.subject
    manifest = EvidenceList(FORMAT, subject, BOM.created, tools(), sections, ())
    seal(folder, manifest)


def seal(folder: Path, manifest: EvidenceList | None = None, **changes: Any) -> None:
    """Write the list again, as a person without the key can."""
    if "files" not in changes:
        names = [one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()]
        changes["files"] = files_of(folder, [one for one in names if not one.startswith(MANIFEST)])
    text = replace(manifest or EvidenceList.read(folder), **changes).sealed().text
    (folder / MANIFEST).write_text(text)


def edited(name: str, old: str, new: str) -> Callable[[Path], None]:
    """Return an attack that replaces a text in a file, and writes the list again."""

    def attack(folder: Path) -> None:
        text = (folder / name).read_text()
        assert old in text
        (folder / name).write_text(text.replace(old, new))
        seal(folder)

    return attack
