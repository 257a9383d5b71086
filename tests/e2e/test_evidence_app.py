"""``studio evidence`` about the app ``triage``: one command, and every figure computed again."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_python_model import v3_0_1 as spdx

from tests.e2e.conftest import Studio
from tests.rigs.changed_bytes import unseen_changes

pytestmark = pytest.mark.slow

REFUSED = 4
CHANGES = 1000
OVERRIDES = (
    {"kind": "assessment", "step": "assessment", "decision": "refer", "given": {"age": 40}},
    {"kind": "override", "was": "refer", "decision": "positive", "by": "Ann Nurse", "reason": "x"},
    {"kind": "override", "was": "refer", "decision": "negative", "by": "Ann Nurse", "reason": "x"},
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("evidence-app")


@pytest.fixture(scope="module")
def studio(home: Path) -> Studio:
    """A studio with the sample app and its evidence."""
    made = Studio(home)
    made.ok("samples", "get", "triage", "--out", home / "triage")
    made.ok("evidence", home / "triage", "--out", home / "out", "--evaluations", "100")
    return made


def verified(studio: Studio, folder: Path, *words: str | Path) -> dict[str, Any]:
    ended = studio.run("evidence", "verify", folder, *words, "--json")
    return {**ended.json, "code": ended.code}


def statements(folder: Path) -> dict[str, Any]:
    document = json.loads((folder / "dossier.json").read_text())
    return {one["subject"]: one for one in document["statements"]}


def test_every_figure_is_computed_again_from_the_folder_alone(studio: Studio, home: Path) -> None:
    found = verified(studio, home / "out")
    assert found["code"] == 0
    assert found["recomputed"] == len(found["figures"]) >= 50
    names = {one["id"] for one in found["figures"]}
    assert {"quality", "app.test.all.f1", "app.test.refused.recall", "app.band.risk.low"} <= names
    assert {"app.test.decisions.assessment.refer", "app.models"} <= names


def test_the_test_of_the_app_runs_again(studio: Studio, home: Path) -> None:
    found = verified(studio, home / "out", "--again", "--app", home / "triage")
    states = {one["id"]: one["state"] for one in found["figures"]}
    assert found["code"] == 0
    assert states["app.test.all.f1"] == states["quality"] == "run again"
    left = verified(studio, home / "out", "--again")
    assert "pass --app FOLDER" in " ".join(left["notes"])


def test_another_event_of_the_test_differs(studio: Studio, home: Path, tmp_path: Path) -> None:
    shutil.copytree(home / "triage", tmp_path / "triage")
    rows = (tmp_path / "triage/patients.csv").read_text().splitlines()
    (tmp_path / "triage/patients.csv").write_text("\n".join([rows[0], *rows[2:], rows[1]]) + "\n")
    found = verified(studio, home / "out", "--again", "--app", tmp_path / "triage")
    assert found["code"] == REFUSED
    differing = {one["id"] for one in found["figures"] if one["state"] == "differs"}
    assert "app.test.all.f1" in differing


def test_an_event_that_was_changed_gives_other_figures(
    studio: Studio, home: Path, tmp_path: Path
) -> None:
    from dataclasses import replace

    from studio.features.evidence.folder.manifest import MANIFEST, EvidenceList, files_of

    folder = tmp_path / "out"
    shutil.copytree(home / "out", folder)
    events = json.loads((folder / "records/app-events.json").read_text())
    next(one for one in events if one.get("decision") == "refer")["decision"] = "positive"
    (folder / "records/app-events.json").write_text(json.dumps(events))
    manifest = EvidenceList.read(folder)
    files = files_of(folder, [one.path for one in manifest.files])
    (folder / MANIFEST).write_text(replace(manifest, files=files).sealed().text)
    found = verified(studio, folder)
    differing = {one["id"] for one in found["figures"] if one["state"] == "differs"}
    assert found["altered"] == []
    assert {"app.test.all.f1", "app.test.decisions.assessment.refer"} <= differing


def test_a_thousand_random_changes_of_one_byte_are_all_found(
    studio: Studio, home: Path, tmp_path: Path
) -> None:
    shutil.copytree(home / "out", tmp_path / "out")
    assert unseen_changes(tmp_path / "out", CHANGES) == []


def test_the_graph_is_in_words_with_what_leaves_the_board(studio: Studio, home: Path) -> None:
    graph = statements(home / "out")["app.graph"]
    text = "\n".join(graph["paragraphs"])
    assert "Step assessment (assess) takes signs" in text
    assert "What assessment gives stays in a file of the board (assessments.jsonl)." in text
    assert "Users of its server see no picture of a source." in text
    digest = graph["tables"][0]["rows"][0][-1]
    assert digest == json.loads((home / "out/evidence.json").read_text())["subject"]["digest"]


def test_limits_of_the_readme_are_in_the_dossier(studio: Studio, home: Path) -> None:
    limits = statements(home / "out")["app.limits"]
    assert limits["state"] == "present"
    assert "AUC and calibration hold for this population alone." in limits["paragraphs"]
    assert "The app triage" in (home / "out/dossier.html").read_text()


def test_bills_of_materials_are_valid_and_name_the_app(studio: Studio, home: Path) -> None:
    schemas = {"bom.cdx.json": SchemaVersion.V1_6, "bom-1.7.cdx.json": SchemaVersion.V1_7}
    for name, schema in schemas.items():
        text = (home / "out" / name).read_text()
        assert JsonStrictValidator(schema).validate_str(text) is None
        document = json.loads(text)
        assert document["metadata"]["component"]["type"] == "application"
        assert document["components"][0]["modelCard"]["quantitativeAnalysis"]
    objects = spdx.SHACLObjectSet()
    content = (home / "out/bom.spdx.json").read_text()
    spdx.JSONLDDeserializer().read(io.StringIO(content), objects)
    assert objects.link() == set()


def test_overrides_of_a_board_are_counted_without_names(
    studio: Studio, home: Path, tmp_path: Path
) -> None:
    lines = [json.dumps({**one, "time": 1.5, "at_s": 2.0}) + "\n" for one in OVERRIDES]
    (tmp_path / "events.jsonl").write_text("".join(lines))
    events = ("--events", tmp_path / "events.jsonl", "--explanations", "0", "--corrupted", "20")
    studio.ok("evidence", home / "triage", "--out", tmp_path / "out", *events)
    found = verified(studio, tmp_path / "out")
    values = {one["id"]: one["value"] for one in found["figures"]}
    assert found["code"] == 0
    assert values["app.board.overrides"] == 2
    assert values["app.board.overrides.refer.positive"] == 1
    kept = (tmp_path / "out/records/app-board-events.json").read_text()
    assert "Ann Nurse" not in kept
    assert "age" not in kept


def test_a_version_with_an_app_has_its_graph(studio: Studio, home: Path, tmp_path: Path) -> None:
    packaged = studio.ok("package", home / "triage")
    quick = ("--explanations", "0", "--corrupted", "20")
    studio.ok("evidence", f"risk:{packaged['version']}", "--out", tmp_path / "out", *quick)
    found = statements(tmp_path / "out")
    assert found["app.graph"]["state"] == "present"
    assert "a bundle has no recordings" in found["app.test"]["note"]
    assert verified(studio, tmp_path / "out")["code"] == 0


def test_bad_apps_are_one_sentence(studio: Studio, home: Path, tmp_path: Path) -> None:
    outside = copied(home, tmp_path / "outside")
    (outside / "risk/model.onnx").unlink()
    (outside / "risk/model.onnx").symlink_to(home / "triage/risk/model.onnx")
    without = copied(home, tmp_path / "without")
    text = (
        (without / "app.toml").read_text().replace('file = "risk/model.onnx"', 'file = "no.onnx"')
    )
    (without / "app.toml").write_text(text)
    cases = {
        outside: "models.risk: risk/model.onnx is outside the folder of the app.",
        without: "models.risk: no.onnx does not exist in the folder of the app.",
    }
    for folder, sentence in cases.items():
        ended = studio.run("evidence", folder, "--out", tmp_path / "x")
        assert ended.code in (1, 2)
        assert sentence in ended.err
        assert "Traceback" not in ended.err
    (tmp_path / "bad.jsonl").write_text("no event\n")
    bad = ("--events", tmp_path / "bad.jsonl")
    ended = studio.run("evidence", home / "triage", "--out", tmp_path / "x", *bad)
    assert "an event is an object with a kind" in ended.err


def test_a_readme_outside_and_deleted_data_are_missing(
    studio: Studio, home: Path, tmp_path: Path
) -> None:
    folder = copied(home, tmp_path / "other")
    (tmp_path / "secret.md").write_text("# Limits\n\nA secret\n")
    (folder / "README.md").unlink()
    (folder / "README.md").symlink_to(tmp_path / "secret.md")
    (folder / "patients.csv").unlink()
    quick = ("--explanations", "0", "--corrupted", "20")
    studio.ok("evidence", folder, "--out", tmp_path / "out", *quick)
    found = statements(tmp_path / "out")
    assert found["app.limits"]["state"] == found["app.test"]["state"] == "missing"
    assert "is outside the folder of the app" in found["app.limits"]["note"]
    assert "patients.csv" in found["app.test"]["note"]
    assert "A secret" not in (tmp_path / "out/dossier.html").read_text()


def copied(home: Path, place: Path) -> Path:
    shutil.copytree(home / "triage", place)
    return place
