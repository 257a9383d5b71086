"""Incidents of a registry's models: what served then, deadlines, and impossible times."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.api import UsageError
from studio.features.evidence.incidents.export import DOCUMENT, PAGE, SUMS, export
from studio.features.evidence.incidents.incident_files import IncidentFiles
from studio.features.evidence.incidents.results import CLOSE, NOTE, IncidentState
from studio.features.evidence.incidents.step import IncidentExportOptions
from studio.registry import ModelRef, Registry, VersionRecord

HOSTILE = "<script>alert(1)</script> & \u00e4"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    opened = Registry.open(tmp_path / "data" / "registry")
    yield opened
    opened.close()


@pytest.fixture
def versions(registry: Registry) -> tuple[VersionRecord, ...]:
    """Three releases: two of the model on one board, one of another model on another board."""
    first, second = made(registry, "digits", 1), made(registry, "digits", 2)
    other = made(registry, "words", 3)
    release(registry, first, "digits", "gate", "2026-11-01T10:00:00.000+00:00")
    release(registry, second, "digits", "gate", "2026-11-20T10:00:00.000+00:00")
    release(registry, other, "words", "desk", "2026-11-02T10:00:00.000+00:00")
    return first, second, other


def made(registry: Registry, name: str, number: int) -> VersionRecord:
    file = registry.folder.parent / f"{name}-{number}.onnx"
    file.write_bytes(bytes([number]) * 100)
    bundle = registry.folder.parent / f"bundle-{number}"
    bundle.mkdir()
    (bundle / "manifest.json").write_text("{}")
    model = registry.add_model(name)
    variant = registry.add_variant(
        model, f"fp32-{number}", registry.adopt(file), format="onnx", precision="fp32"
    )
    artifact = registry.adopt(bundle, f"{name}-{number}")
    return registry.add_version(model, variant.id, artifact, f"{number:064x}", number)


def release(registry: Registry, version: VersionRecord, name: str, target: str, at: str) -> None:
    details = {
        "version": version.number,
        "name": name,
        "by": "ann",
        "log": {"entries": version.number, "head": f"{version.number:064d}"},
    }
    registry.add_release(target, version.id, version.digest, "serving", details, at)


@pytest.fixture
def files(registry: Registry, versions: tuple[VersionRecord, ...]) -> IncidentFiles:
    return IncidentFiles(registry)


def open_one(files: IncidentFiles, happened: str, **more: str) -> IncidentState:
    given = {"aware": "2026-11-25", "kind": "death", **more}
    return files.open("digits", "A wrong reading", "An 8 was a 3.", "Ada", happened, **given)


@pytest.mark.parametrize(
    ("happened", "served"),
    [
        ("2026-10-31", []),
        ("2026-11-10", ["digits:1"]),
        ("2026-11-20", ["digits:1", "digits:2"]),
        ("2026-11-20T09:59", ["digits:1"]),
        ("2026-11-20T10:00", ["digits:2"]),
        ("2026-11-24", ["digits:2"]),
    ],
)
def test_what_served_then_is_read_from_the_registry(
    files: IncidentFiles, happened: str, served: list[str]
) -> None:
    found = open_one(files, happened).served
    assert [one.version for one in found] == served
    assert {one.target for one in found} <= {"gate"}


def test_a_release_is_named_with_its_digest_and_its_log(files: IncidentFiles) -> None:
    (one,) = open_one(files, "2026-11-10").served
    assert one.digest == f"{1:064x}"
    assert (one.log_entries, one.log_head) == (1, f"{1:064d}")
    assert one.by == "ann"


def test_only_the_named_target_is_meant(files: IncidentFiles) -> None:
    assert open_one(files, "2026-11-10", target="desk").served == ()
    with pytest.raises(UsageError, match="Unknown target: 'nowhere'"):
        open_one(files, "2026-11-10", target="nowhere")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"happened": "2026-02-30"}, "Time of the incident: '2026-02-30' is no day or time."),
        ({"happened": "2126-01-01"}, "Time of the incident: 2126-01-01 is in the future."),
        ({"happened": "2026-11-10", "aware": "2026-11-09"}, "is before the incident"),
        ({"happened": "2026-11-10", "kind": "bad"}, "'bad' is no kind of incident."),
    ],
)
def test_an_impossible_incident_leaves_no_file(
    files: IncidentFiles, given: dict[str, str], expected: str
) -> None:
    with pytest.raises(UsageError) as caught:
        open_one(files, **given)
    assert expected in caught.value.message
    assert not files.file("digits").exists()


def test_a_report_before_awareness_is_refused(files: IncidentFiles) -> None:
    open_one(files, "2026-11-10")
    with pytest.raises(UsageError, match="is before awareness on 2026-11-25"):
        files.report("digits", 1, "Sent.", "Bo", "Authority", "2026-11-24")
    found = files.report("digits", 1, "Sent.", "Bo", "Authority", "2026-11-26", "A-7")
    assert found.reported == "2026-11-26"
    assert found.entries[-1].reference == "A-7"


def test_notes_and_the_end_are_kept_with_their_authors(files: IncidentFiles) -> None:
    open_one(files, "2026-11-10")
    files.add("digits", 1, NOTE, "Seen again.", "Bo", "health")
    found = files.add("digits", 1, CLOSE, "A lamp.", "Cy")
    assert [(one.what, one.by) for one in found.entries] == [
        ("open", "Ada"),
        ("note", "Bo"),
        ("close", "Cy"),
    ]
    assert found.kind == "health"
    assert found.state == "closed"


def exported(registry: Registry, folder: Path) -> Path:
    variant = registry.find("digits:fp32-1")
    options = IncidentExportOptions(model=ModelRef.of(variant), number=1, out=folder / "out")
    work = folder / "work"
    work.mkdir()
    result = export(registry, options, work)
    return Path(result.output)


def test_an_export_has_page_document_and_digests(
    files: IncidentFiles, registry: Registry, tmp_path: Path
) -> None:
    open_one(files, "2026-11-10")
    files.add("digits", 1, NOTE, HOSTILE, HOSTILE)
    out = exported(registry, tmp_path)
    assert sorted(one.name for one in out.iterdir()) == sorted([PAGE, DOCUMENT, SUMS])
    for row in (out / SUMS).read_text().splitlines():
        digest, name = row.split("  ")
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == digest
    document = json.loads((out / DOCUMENT).read_bytes())
    assert [one["digest"] for one in document["changes"]] == [f"{1:064x}", f"{2:064x}"]
    assert document["incident"]["served"][0]["version"] == "digits:1"
    assert document["as_of"]


def test_a_page_shows_hostile_texts_and_runs_nothing(
    files: IncidentFiles, registry: Registry, tmp_path: Path
) -> None:
    open_one(files, "2026-11-10")
    files.add("digits", 1, NOTE, HOSTILE, HOSTILE)
    page = (exported(registry, tmp_path) / PAGE).read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "default-src 'none'" in page


def test_a_taken_place_is_not_overwritten(
    files: IncidentFiles, registry: Registry, tmp_path: Path
) -> None:
    from studio.api import StudioError

    open_one(files, "2026-11-10")
    place = tmp_path / "out"
    (place / "incident").mkdir(parents=True)
    with pytest.raises(StudioError, match="exists already"):
        exported(registry, tmp_path)
