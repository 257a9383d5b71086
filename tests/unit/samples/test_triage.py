"""The synthetic patients, the logistic model, its measures and its files."""

from __future__ import annotations

import csv
import json
import shutil
import tomllib
from pathlib import Path

import numpy
import onnxruntime
import pytest
from sklearn.metrics import roc_auc_score

from studio.api import Silent
from studio.samples.triage.files import RiskModel, auc, auc_interval, calibration_error, fit, write
from studio.samples.triage.patients import INTERCEPT, SIGNS, patients, true_risk
from studio.settings import resource

FOLDER = resource("samples", "triage")


@pytest.fixture(scope="module")
def model() -> RiskModel:
    return fit(*patients(1, 20_000))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("triage") / "app"
    shutil.copytree(FOLDER, folder)
    write(folder, 7, Silent())
    return folder


def test_patients_have_readings_within_their_ranges() -> None:
    signs, outcomes = patients(2, 5000)
    for at, one in enumerate(SIGNS):
        assert one.least <= signs[:, at].min() <= one.middle <= signs[:, at].max() <= one.most
        assert numpy.allclose(signs[:, at], numpy.round(signs[:, at], one.decimals))
    assert 0.1 < outcomes.mean() < 0.2
    again = patients(2, 5000)
    assert numpy.array_equal(signs, again[0])
    assert not numpy.array_equal(signs, patients(3, 5000)[0])


def test_the_fit_finds_the_truth(model: RiskModel) -> None:
    signs, _ = patients(8, 10_000)
    assert model.bias == pytest.approx(INTERCEPT, abs=0.2)
    gaps = numpy.abs(model.risk(signs) - true_risk(signs))
    assert gaps.mean() < 0.02
    spread = numpy.array([one.spread for one in SIGNS])
    for at in (1, 2, 3, 5):
        assert model.below[at] * spread[at] == pytest.approx(SIGNS[at].below, abs=0.35)


def test_the_file_computes_what_the_model_does(model: RiskModel, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    model.save(path)
    assert path.stat().st_size < 8000
    session = onnxruntime.InferenceSession(str(path))
    signs, _ = patients(4, 1000)
    (found,) = session.run(None, {"signs": signs.astype(numpy.float32)})
    assert numpy.abs(found[:, 0] - model.risk(signs)).max() < 1e-5


def test_the_area_agrees_with_scikit_learn_with_ties() -> None:
    chance = numpy.random.default_rng(5)
    risks = numpy.round(chance.random(500), 1)
    outcomes = chance.random(500) < risks
    assert auc(risks, outcomes) == pytest.approx(roc_auc_score(outcomes, risks), abs=1e-12)


def test_the_interval_lies_around_the_area_and_narrows(model: RiskModel) -> None:
    widths = []
    for count in (1000, 10_000):
        signs, outcomes = patients(6, count)
        risks = model.risk(signs)
        low, high = auc_interval(risks, outcomes, 1, rounds=200)
        assert low < auc(risks, outcomes) < high
        widths.append(high - low)
    assert widths[1] < 0.6 * widths[0]


def test_the_model_is_calibrated_and_a_shifted_one_is_not(model: RiskModel) -> None:
    signs, outcomes = patients(9, 10_000)
    risks = model.risk(signs)
    assert calibration_error(risks, outcomes) < 0.02
    assert calibration_error(risks**0.5, outcomes) > 0.1


def test_each_row_has_a_known_event(made: Path) -> None:
    with (made / "patients.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))
    lines = (made / "expected.jsonl").read_text("utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    assert len(found) == len(rows) - 1 == 200
    refused = [one["refused"] for one in found if one["kind"] == "refused"]
    assert refused[0] == "heart_rate is 320 /min, outside 20 to 250 /min."
    assert "systolic_pressure is missing." in refused
    assert len(refused) == 7
    decisions = {one["decision"] for one in found if one["kind"] == "assessment"}
    assert decisions == {"negative", "refer", "positive"}


def test_the_app_has_the_signs_of_the_patients() -> None:
    table = tomllib.loads((FOLDER / "app.toml").read_text("utf-8"))
    step = table["steps"]["assessment"]
    names = [one.name for one in SIGNS]
    assert step["features"] == table["sources"]["signs"]["columns"] == names
    assert step["units"] == [one.unit for one in SIGNS]
    assert step["least"] == [one.least for one in SIGNS]
    assert step["most"] == [one.most for one in SIGNS]
    assert "never for clinical use" in table["notice"]


def test_the_readme_gives_the_quality_of_the_sample(tmp_path: Path) -> None:
    from studio.samples.triage.files import SEED

    folder = tmp_path / "app"
    shutil.copytree(FOLDER, folder)
    write(folder, SEED, Silent())
    quality = json.loads((folder / "quality.json").read_text("utf-8"))
    text = (FOLDER / "README.md").read_text("utf-8")
    low, high = quality["auc_95"]
    assert f"{quality['auc']:.3f} (95 % CI {low:.3f} to {high:.3f})" in text
    assert f"{quality['calibration_error']:.3f}" in text
