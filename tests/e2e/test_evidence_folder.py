"""``studio evidence`` and its verification on the digits, from records to altered bytes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from studio.features.evidence.folder.manifest import MANIFEST, EvidenceList
from studio.features.evidence.survey.facade import Evidence
from studio.workspace import Workspace
from tests.e2e.conftest import Studio
from tests.rigs.boards import make_key, public_key

pytestmark = pytest.mark.slow

REFUSED = 4


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("evidence")


@pytest.fixture(scope="module")
def studio(home: Path, digits: Path) -> Studio:
    """A studio with an int8 variant of the digits, profiled and packaged, and its evidence."""
    made = Studio(home)
    folder = home / "digits"
    shutil.copytree(digits, folder)
    model, heldout = folder / "digits.onnx", folder / "heldout.npz"
    calibration = ("--data", folder / "calibration.npz", "--eval-data", heldout)
    made.ok("quantize", model, *calibration)
    made.ok("profile", "digits", "digits:int8", "--data", heldout, "--seconds", "2")
    made.ok("package", "digits:int8", "--data", heldout, "--labels", folder / "labels.txt")
    made.ok("evidence", "answer", "digits", "intended.use", "--text", "Meters", "--by", "Ada")
    make_key(home / "key")
    (home / "signers").write_text(f"ann {public_key(home / 'key')}\n")
    made.ok("evidence", "digits:1", "--out", home / "out", "--sign", home / "key")
    return made


def verified(studio: Studio, folder: Path, *words: str | Path) -> dict[str, object]:
    ended = studio.run("evidence", "verify", folder, *words, "--json")
    return {**ended.json, "code": ended.code}


def test_every_figure_is_computed_again_from_the_folder_alone(studio: Studio, home: Path) -> None:
    found = verified(studio, home / "out", "--signers", home / "signers")
    assert found["code"] == 0
    assert found["altered"] == []
    assert found["signer"] == "ann"
    assert {one["state"] for one in found["figures"]} == {"recomputed"}
    assert found["recomputed"] == len(found["figures"]) >= 60


@pytest.mark.long
def test_measurements_are_made_again_where_model_and_data_are_here(
    studio: Studio, home: Path
) -> None:
    found = verified(studio, home / "out", "--again")
    assert found["code"] == 0
    states = {one["id"]: one["state"] for one in found["figures"]}
    assert "notes" not in found
    assert states["quality"] == states["model.parameters"] == "run again"
    assert states["speed.digits:fp32.p50"] == "recomputed"
    assert "notes" not in found


def test_records_and_answers_are_told_from_what_is_missing(studio: Studio, home: Path) -> None:
    sections = {one.id: one for one in EvidenceList.read(home / "out").sections}
    assert sections["intended.use"].state == "present"
    assert sections["intended.use"].note.startswith("written by Ada, ")
    assert sections["quality.groups"].state == sections["explanations"].state == "present"
    assert sections["deployment.targets"].state == "missing"
    assert sections["oversight.human"].state == "asked"


def test_the_window_shows_what_was_measured_for_the_folder(studio: Studio, home: Path) -> None:
    with Workspace.open(studio.home / "edgewright") as workspace:
        variant = next(one for one in workspace.registry.variants() if one.name == "int8")
        survey = workspace.service(Evidence).survey(variant)
        samples = workspace.service(Evidence).samples(variant.id)
        assert survey.explanations is not None
        pictures = workspace.service(Evidence).pictures(survey.explanations)
    names = ("quality.groups", "quality.robustness", "explanations")
    assert {survey.sections[name].state for name in names} == {"present"}
    assert survey.groups is not None
    assert samples.rows
    assert len(pictures) >= len(survey.explanations.samples)


def test_no_file_names_a_folder_of_this_computer(studio: Studio, home: Path) -> None:
    texts = [one for one in (home / "out").rglob("*") if one.suffix in (".json", ".html", ".md")]
    assert texts
    assert [one.name for one in texts if str(home) in one.read_text()] == []


@pytest.mark.parametrize(
    "name", ["figures.json", "dossier.pdf", "records/samples.csv", "evidence.json.sig"]
)
def test_an_altered_byte_is_named(studio: Studio, home: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "out"
    shutil.copytree(home / "out", folder)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    ended = studio.run("evidence", "verify", folder, "--signers", home / "signers")
    assert ended.code == REFUSED
    assert f"Altered: {name}" in ended.out


def test_a_figure_that_was_made_up_differs_even_where_the_list_was_sealed_again(
    studio: Studio, home: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    shutil.copytree(home / "out", folder)
    document = json.loads((folder / "figures.json").read_text())
    quality = next(one for one in document["figures"] if one["id"] == "quality")
    quality["value"] = 1.0
    (folder / "figures.json").write_text(json.dumps(document))
    _sealed_again(folder)
    found = verified(studio, folder)
    assert found["code"] == REFUSED
    assert {one["path"] for one in found["altered"]} == {"figures.json", "evidence.json.sig"}
    assert [one["id"] for one in found["figures"] if one["state"] == "differs"] == ["quality"]
    assert verified(studio, folder, "--signers", home / "signers")["signature"] == "not valid"


def _sealed_again(folder: Path) -> None:
    """Write the list anew, as someone without the key would."""
    from dataclasses import replace

    from studio.features.evidence.folder.manifest import files_of

    manifest = EvidenceList.read(folder)
    files = files_of(folder, [one.path for one in manifest.files])
    (folder / MANIFEST).write_text(replace(manifest, files=files).sealed().text)


def test_bad_input_is_one_sentence(studio: Studio, home: Path, tmp_path: Path) -> None:
    cases = {
        ("evidence", "nothing", "--out", tmp_path / "a"): "No file or registered model named",
        ("evidence", "digits:9", "--out", tmp_path / "a"): "Unknown version 9 of digits",
        ("evidence", "verify", tmp_path): "is no evidence",
        ("evidence", "digits:1", "--out", home / "out"): "exists already",
        ("evidence", "digits:1"): "",
    }
    for words, sentence in cases.items():
        ended = studio.run(*words)
        assert ended.code in (1, 2), words
        assert sentence in ended.err
        assert "Traceback" not in ended.err
    data = tmp_path / "gone.npz"
    ended = studio.run("evidence", "digits:1", "--out", tmp_path / "b", "--data", data)
    assert ended.code == 2
    assert "gone.npz" in ended.err


def test_a_folder_whose_data_was_deleted_says_so(
    studio: Studio, home: Path, tmp_path: Path
) -> None:
    shutil.copy(home / "digits/calibration.npz", tmp_path / "other.npz")
    found = verified(studio, home / "out", "--again", "--data", tmp_path / "other.npz")
    assert found["code"] == 0
    assert found["notes"] == ["other.npz has other contents than the data that was measured on."]
