"""``studio incidents`` as a user types it, with the plan and the incidents in a dossier."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.conftest import Ended, Studio

pytestmark = pytest.mark.slow

OPEN = ("--title", "Reading", "--text", "An 8 was a 3.", "--happened", "2026-11-01", "--by", "Ada")
MEASURE = ("--explanations", "0", "--samples", "60", "--corrupted", "20")


@pytest.fixture
def studio(tmp_path: Path, digits: Path) -> Studio:
    made = Studio(tmp_path)
    shutil.copytree(digits, tmp_path / "digits")
    made.ok("evidence", "screen", tmp_path / "digits" / "digits.onnx")
    return made


def refused(ended: Ended, code: int, sentence: str) -> None:
    assert ended.code == code
    assert sentence in ended.err
    assert "Traceback" not in ended.err


def file_of(studio: Studio) -> Path:
    return next(studio.home.rglob("*.incidents.json"))


def test_from_the_opening_to_an_export_that_is_checked(studio: Studio) -> None:
    aware = (datetime.now(UTC).date() - timedelta(days=1)).isoformat()
    opened = studio.ok("incidents", "open", "digits", *OPEN, "--aware", aware, "--kind", "death")
    assert opened["incident"]["clock"]["days"] == 9
    studio.ok("incidents", "note", "digits", "1", "--text", "Seen.", "--by", "Bo")
    reported = studio.ok(
        *("incidents", "report", "digits", "1", "--to", "Authority"),
        *("--text", "Sent.", "--by", "Bo", "--reference", "A-7"),
    )
    assert reported["incident"]["reported"] == datetime.now(UTC).date().isoformat()
    closed = studio.ok("incidents", "close", "digits", "1", "--text", "A lamp.", "--by", "Cy")
    assert closed["incident"]["state"] == "closed"
    assert [one["number"] for one in studio.ok("incidents", "list")["incidents"]] == [1]
    shown = studio.ok("incidents", "show", "digits", "1")["incident"]
    assert [one["by"] for one in shown["entries"]] == ["Ada", "Bo", "Bo", "Cy"]
    out = studio.home / "incident"
    studio.ok("incidents", "export", "digits", "1", "--out", out)
    checked = subprocess.run(
        ["sha256sum", "--check", "SHA256SUMS"], cwd=out, capture_output=True, check=False
    )
    assert checked.returncode == 0


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (("--happened", "2026-02-30"), "Time of the incident: '2026-02-30' is no day or time."),
        (("--happened", "2126-01-01"), "2126-01-01 is in the future."),
        (("--aware", "2026-10-01"), "Awareness on 2026-10-01 is before the incident"),
        (("--kind", "fatal"), "fatal"),
        (("--target", "nowhere"), "Unknown target: 'nowhere'."),
        (("--title", "a\nb"), "--title must be one line"),
    ],
)
def test_an_impossible_incident_is_one_sentence(
    studio: Studio, changed: tuple[str, str], sentence: str
) -> None:
    refused(studio.run("incidents", "open", "digits", *OPEN, *changed), 2, sentence)
    assert not list(studio.home.rglob("*.incidents.json"))


def test_an_altered_file_is_named_with_its_place_and_stays(studio: Studio) -> None:
    studio.ok("incidents", "open", "digits", *OPEN)
    file = file_of(studio)
    altered = file.read_text().replace("An 8 was a 3.", "A 3 was a 3.")
    file.write_text(altered)
    sentence = "was altered: Entry 1, of incident 1, was altered."
    note = ("incidents", "note", "digits", "1", "--text", "x", "--by", "Ada")
    for words in (("incidents", "list"), note, ("evidence", "digits", "--out", studio.home / "e")):
        refused(studio.run(*words), 1, sentence)
    assert file.read_text() == altered


def test_a_half_written_file_is_one_sentence_and_stays(studio: Studio) -> None:
    studio.ok("incidents", "open", "digits", *OPEN)
    file = file_of(studio)
    half = file.read_text()[:200]
    file.write_text(half)
    refused(studio.run("incidents", "open", "digits", *OPEN), 1, "is not a file of incidents.")
    assert file.read_text() == half


def dossier(studio: Studio, *words: str | Path) -> dict[str, dict[str, object]]:
    out = studio.home / "evidence"
    studio.ok("evidence", "digits", "--out", out, *MEASURE, *words)
    document = json.loads((out / "dossier.json").read_bytes())
    return {one["subject"]: one for one in document["statements"]}


def test_a_dossier_has_the_plan_and_the_incidents(studio: Studio) -> None:
    text = "/var/log has the answers."
    studio.ok("incidents", "open", "digits", *OPEN, "--text", text)
    found = dossier(studio)
    plan = found["monitoring.plan"]
    assert plan["state"] == "asked"
    assert {row[1] for row in plan["tables"][0]["rows"]} == {"missing"}
    assert found["incidents"]["tables"][0]["rows"][0][1] == "Reading"
    assert "ask counsel" in found["incidents"]["tables"][0]["rows"][0][3]
    verified = studio.ok("evidence", "verify", studio.home / "evidence")
    states = {one["id"]: one["state"] for one in verified["figures"]}
    assert states["incidents.unbroken"] == "recomputed"


def test_a_broken_chain_in_a_dossier_is_found(studio: Studio) -> None:
    studio.ok("incidents", "open", "digits", *OPEN)
    dossier(studio)
    records = studio.home / "evidence" / "records" / "incidents.json"
    records.write_text(records.read_text().replace("An 8 was a 3.", "A 3 was a 3."))
    ended = studio.run("evidence", "verify", studio.home / "evidence")
    assert ended.code == 4
    assert "Altered: records/incidents.json (changed)" in ended.out
    assert "Differs: incidents.unbroken is 1, computed 0" in ended.out


def test_a_factor_without_a_source_is_refused(studio: Studio) -> None:
    words = ("evidence", "digits", "--out", studio.home / "e", "--grid-factor", "40")
    refused(studio.run(*words), 2, "The factor needs its source")
    assert not (studio.home / "e").exists()
