"""Incidents in their file: entries are added and chained, and no file is trusted blindly."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.api import StudioError, UsageError
from studio.documents.dataclass_json import to_json
from studio.features.evidence.incidents import store
from studio.features.evidence.incidents.results import CLOSE, NOTE, OPEN, REPORT, IncidentEntry
from studio.features.evidence.incidents.store import add_entry, chained, read_incidents, unbroken

AT = "2026-11-30T12:00:00.000+00:00"


def opening(title: str = "A wrong reading", text: str = "An 8 was a 3.") -> IncidentEntry:
    return IncidentEntry(0, OPEN, AT, "Ada", text, title, "2026-11-29", "2026-11-30", kind="health")


def note(number: int = 1, text: str = "Seen again.", what: str = NOTE) -> IncidentEntry:
    return IncidentEntry(number, what, AT, "Bo", text)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "projects" / "digits.incidents.json"


@pytest.fixture
def filled(file: Path) -> Path:
    """Two incidents, the first with a note."""
    add_entry(file, opening())
    add_entry(file, opening("Another one"))
    add_entry(file, note())
    return file


def change(file: Path, edit: Callable[[list[dict[str, Any]]], object]) -> bytes:
    document = json.loads(file.read_bytes())
    edit(document["entries"])
    file.write_text(json.dumps(document), encoding="utf-8")
    return file.read_bytes()


def test_without_a_file_no_incident_is_known(file: Path) -> None:
    assert read_incidents(file) == ()


def test_entries_are_added_and_numbered(filled: Path) -> None:
    first, second = read_incidents(filled)
    assert [one.what for one in first.entries] == [OPEN, NOTE]
    assert (first.number, second.number) == (1, 2)
    assert second.opened.title == "Another one"
    assert first.head == chained(first.entries[1], first.entries[0].hash)


def test_the_newest_decision_about_the_kind_counts(filled: Path) -> None:
    add_entry(filled, replace(note(), kind="not-serious"))
    add_entry(filled, note())
    assert read_incidents(filled)[0].kind == "not-serious"


def test_a_closed_incident_stays_closed_and_takes_notes(filled: Path) -> None:
    add_entry(filled, note(2, what=CLOSE))
    add_entry(filled, note(2))
    assert read_incidents(filled)[1].state == "closed"
    with pytest.raises(UsageError, match="Incident 2 is closed already"):
        add_entry(filled, note(2, what=CLOSE))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (opening(text=" \n"), "The text is empty."),
        (opening(text="x" * 20_001), "The text is longer than 20,000 characters."),
        (opening(text="\x1b[31mred"), "The text has control characters or hidden marks."),
        (opening(title="a\nb"), "--title must be one line of up to 200 characters."),
        (replace(opening(), by=""), "--by must be one line of up to 200 characters."),
        (note(what=REPORT), "--to must be one line of up to 200 characters."),
        (note(3), "The model has no incident 3."),
        (note(-1), "The model has no incident -1."),
    ],
)
def test_what_the_file_cannot_hold_is_refused(
    filled: Path, entry: IncidentEntry, expected: str
) -> None:
    before = filled.read_bytes()
    with pytest.raises(UsageError) as caught:
        add_entry(filled, entry)
    assert caught.value.message == expected
    assert filled.read_bytes() == before


EDITS: dict[str, tuple[Callable[[list[dict[str, Any]]], object], str]] = {
    "a text": (lambda rows: rows[2].update(text="Nothing."), "Entry 3, of incident 1"),
    "a day": (lambda rows: rows[0].update(aware="2026-12-09"), "Entry 1, of incident 1"),
    "an author": (lambda rows: rows[1].update(by="Eve"), "Entry 2, of incident 2"),
    "a removed first entry": (lambda rows: rows.pop(0), "An incident before entry 1 is gone"),
    "an exchanged order": (lambda rows: rows.reverse(), "Entry 1"),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_altered_file_names_the_place_and_stays(filled: Path, name: str) -> None:
    edit, place = EDITS[name]
    before = change(filled, edit)
    for call in (lambda: read_incidents(filled), lambda: add_entry(filled, note())):
        with pytest.raises(StudioError) as caught:
            call()
        assert place in f"{caught.value.message} {caught.value.detail}"
    assert filled.read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"schema": 1}',
        b'{"schema": 1, "entries": [{}]}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_half_written_file_is_one_sentence_and_stays(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    with pytest.raises(StudioError) as caught:
        add_entry(file, opening())
    assert caught.value.message == f"{file} is not a file of incidents."
    assert file.read_bytes() == content


def test_every_cut_of_the_file_is_noticed(filled: Path) -> None:
    content = filled.read_bytes().rstrip()
    for length in range(0, len(content), 97):
        filled.write_bytes(content[:length])
        with pytest.raises(StudioError):
            read_incidents(filled)


def test_a_file_of_a_later_studio_is_not_touched(file: Path) -> None:
    file.parent.mkdir(parents=True)
    file.write_text('{"schema": 2, "entries": []}', encoding="utf-8")
    with pytest.raises(StudioError, match="written by another version"):
        read_incidents(file)


def test_links_and_pipes_are_not_followed(filled: Path, tmp_path: Path) -> None:
    aside = tmp_path / "aside.json"
    filled.rename(aside)
    filled.symlink_to(aside)
    with pytest.raises(StudioError, match="cannot be read"):
        read_incidents(filled)
    filled.unlink()
    os.mkfifo(filled)
    with pytest.raises(StudioError, match="is not a file"):
        read_incidents(filled)


def test_a_full_file_is_refused_and_stays(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_ENTRIES", 3)
    before = filled.read_bytes()
    with pytest.raises(UsageError, match="The file of incidents of this model is full"):
        add_entry(filled, note())
    assert filled.read_bytes() == before


def test_a_huge_file_is_not_read(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MOST_BYTES", 100)
    with pytest.raises(StudioError, match="is not a file of incidents"):
        read_incidents(filled)


def test_entries_of_several_writers_are_all_kept(file: Path) -> None:
    add_entry(file, opening())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: add_entry(file, note(text=f"Note {n}.")), range(20)))
    (one,) = read_incidents(file)
    assert len(one.entries) == 21


def test_the_unbroken_entries_end_at_the_first_altered_one(filled: Path) -> None:
    incidents = read_incidents(filled)
    assert unbroken(one.entries for one in incidents) == 3
    first = incidents[0].entries
    changed = (first[0], replace(first[1], text="Nothing."))
    assert unbroken([changed, incidents[1].entries]) == 1


def test_a_document_has_no_empty_fields_beyond_its_kind(filled: Path) -> None:
    document = json.loads(filled.read_bytes())
    assert set(document) == {"schema", "entries"}
    assert document["entries"][0] == to_json(read_incidents(filled)[0].opened)
