"""Dossiers of a text recogniser and of a detector, whose every figure is computed again."""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from studio.api import InvalidData, Silent
from studio.features.evidence.folder.check import alterations
from studio.features.evidence.folder.manifest import EvidenceList
from tests.benchmarks.apps import nanodet, vtest_boxes
from tests.e2e.conftest import Studio
from tests.features.evidence.bom.test_spdx import read

CHANGES = 1000
_LONG = 1800
_SMALL = ("--corrupted", "20", "--evaluations", "100")

BOMS = {"bom.cdx.json": SchemaVersion.V1_6, "bom-1.7.cdx.json": SchemaVersion.V1_7}


@pytest.fixture(scope="module")
def of_texts(studio: Studio) -> Path:
    """Evidence of PP-OCRv5 recognition in int8, on eighty hard pictures."""
    sample = Path(studio.ok("samples", "get", "ocr-hard", timeout=_LONG)["folder"])
    model, data = sample / "ppocrv5-rec.onnx", ("--data", sample / "calibration")
    studio.ok("quantize", model, *data, "--samples", "32", "--metric", "none", timeout=_LONG)
    studio.ok("package", "ppocrv5-rec:int8", timeout=_LONG)
    groups = ("--by", "script", "--by", "blur", "--by", "length", "--samples", "80")
    folder = studio.home / "texts-evidence"
    studio.ok("evidence", "ppocrv5-rec:1", "--out", folder, *groups, *_SMALL, timeout=_LONG)
    return folder


@pytest.fixture(scope="module")
def of_boxes(studio: Studio, rigs: Path) -> Path:
    """Evidence of NanoDet in int8, on twenty frames with the boxes of persons."""
    if not vtest_boxes.FILM.is_file():
        assert not os.environ.get("CI"), "apt install opencv-doc"
        pytest.skip("opencv-doc is not installed: it has the film.")
    pytest.importorskip("cv2")
    place = studio.home / "detector"
    model = vtest_boxes.write(nanodet.fetched(rigs / "apps"), place, 20)
    studio.ok("quantize", model, "--data", place / "heldout", "--samples", "20", timeout=_LONG)
    studio.ok("package", "nanodet:int8", timeout=_LONG)
    folder = studio.home / "boxes-evidence"
    groups = ("--by", "light", "--by", "object-size:2", "--explanations", "2")
    studio.ok("evidence", "nanodet:1", "--out", folder, *groups, *_SMALL, timeout=_LONG)
    return folder


@pytest.fixture(params=["texts", "boxes"])
def evidence(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(f"of_{request.param}")
    return found


def test_every_figure_is_computed_again_from_the_folder(studio: Studio, evidence: Path) -> None:
    found = studio.ok("evidence", "verify", evidence, timeout=_LONG)
    assert {one["state"] for one in found["figures"]} == {"recomputed"}
    assert len(found["figures"]) >= 40


def test_every_sample_is_measured_again(studio: Studio, evidence: Path) -> None:
    found = studio.ok("evidence", "verify", evidence, "--again", timeout=_LONG)
    of_samples = [one for one in found["figures"] if one["id"].startswith(("quality", "robust"))]
    assert of_samples
    assert {one["state"] for one in of_samples} == {"run again"}


@pytest.mark.parametrize(
    ("name", "columns"), [("texts", {"script", "blur", "length"}), ("boxes", {"light"})]
)
def test_groups_are_in_the_folder(
    request: pytest.FixtureRequest, name: str, columns: set[str]
) -> None:
    folder = request.getfixturevalue(f"of_{name}")
    groups = json.loads((folder / "records" / "groups.json").read_text())
    assert columns <= {one["column"] for one in groups["groups"]}
    assert all(one["low"] < one["high"] for one in groups["groups"] if one["samples"])


def test_a_detector_is_explained_by_its_boxes(of_boxes: Path) -> None:
    found = json.loads((of_boxes / "records" / "explanations.json").read_text())
    assert [one["label"] for one in found["samples"]] == ["person", "person"]


def test_bills_of_materials_fit_the_published_schemas(evidence: Path) -> None:
    for name, schema in BOMS.items():
        error = JsonStrictValidator(schema).validate_str((evidence / name).read_text())
        assert error is None, f"{name}: {error}"
    assert read((evidence / "bom.spdx.json").read_text()).link() == set()


def test_each_changed_byte_is_found(evidence: Path, tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    shutil.copytree(evidence, folder)
    files = sorted(one for one in folder.rglob("*") if one.is_file())
    chosen, missed = random.Random(20261201), []
    for _ in range(CHANGES):
        file = chosen.choices(files, [one.stat().st_size for one in files])[0]
        kept = file.read_bytes()
        place = chosen.randrange(len(kept))
        changed = bytearray(kept)
        changed[place] ^= chosen.randrange(1, 256)
        file.write_bytes(changed)
        if not _is_found(folder):
            missed.append((file.name, place))
        file.write_bytes(kept)
    assert missed == []


def _is_found(folder: Path) -> bool:
    try:
        return bool(alterations(folder, EvidenceList.read(folder), Silent()))
    except InvalidData:
        return True
