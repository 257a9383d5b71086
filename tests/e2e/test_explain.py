"""``studio explain`` as a user runs it: pictures, rows, files, and equal bytes for equal seeds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.conftest import Studio

pytestmark = pytest.mark.slow


def test_digits_are_explained_and_compared_with_int8(
    studio: Studio, digits: Path, tmp_path: Path
) -> None:
    model, data, out = digits / "digits.onnx", digits / "heldout.npz", tmp_path / "maps.png"
    small = tmp_path / "int8.onnx"
    studio.ok("quantize", model, "--data", digits / "calibration.npz", "--out", small)
    words = ("explain", model, "--data", data, "--sample", "3,7", "--evaluations", "300")
    found = studio.ok(*words, "--against", small, "--sanity", "--out", out)
    assert {"method", "target", "seconds", "evaluations", "output", "sanity"} <= set(found)
    assert found["method"] == "rise"
    assert found["sanity"] is True
    assert found["output"] == str(out)
    assert out.read_bytes().startswith(b"\x89PNG")
    for sample in found["samples"]:
        assert sample["against"][0]["rank_correlation"] > 0.9
    again = studio.ok(*words, "--against", small, "--sanity")
    assert again["maps_digest"] == found["maps_digest"]


def test_rows_of_the_triage_sample_are_explained_by_name(studio: Studio, tmp_path: Path) -> None:
    folder = tmp_path / "triage"
    studio.ok("samples", "get", "triage", "--out", folder)
    words = ("explain", folder / "risk" / "model.onnx", "--data", folder / "patients.csv")
    found = studio.ok(*words, "--sample", "20", "--out", tmp_path / "rows.json")
    (sample,) = found["samples"]
    assert sample["method"] == "shapley"
    names = [one["name"] for one in sample["features"]]
    assert names[0] == "age"
    total = sum(one["share"] for one in sample["features"])
    assert total == pytest.approx(sample["score"] - sample["reference_score"], abs=1e-4)
    written = json.loads((tmp_path / "rows.json").read_text())
    assert written["samples"] == found["samples"]


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("--sample", "450"), 2, "The data has no sample '450'; it has 450 samples."),
        (("--evaluations", "8"), 2, "RISE needs at least 16 evaluations here, and the bound is 8."),
        (("--class", "ten"), 2, "The model has no class 'ten'; its 10 classes start at 0."),
        (("--out", "map.gif"), 2, "map.gif is no drawing: its name ends with .png, .html, .json."),
    ],
)
def test_bad_input_is_one_sentence(
    studio: Studio, digits: Path, words: tuple[str, ...], code: int, sentence: str
) -> None:
    ended = studio.run("explain", digits / "digits.onnx", "--data", digits / "heldout.npz", *words)
    assert ended.code == code
    assert sentence in ended.err
    assert "Traceback" not in ended.err
