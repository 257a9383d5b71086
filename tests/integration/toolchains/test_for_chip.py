"""Quantization for a chip, and the first value that it computes differently, by real tools."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.settings import resource
from tests.e2e.conftest import Studio
from tests.integration.toolchains.test_toolchains import install

_LONG = 900

DIGITS = resource("samples", "digits")
DATA = ("--data", DIGITS / "calibration.npz", "--eval-data", DIGITS / "heldout.npz")


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory, rigs: Path) -> Studio:
    studio = Studio(tmp_path_factory.mktemp("for-chip"))
    studio.environment["EDGEWRIGHT_HOME"] = str(rigs / "toolchains")
    for name in ("rknn", "qnn", "tensorrt"):
        install(studio, name)
    return studio


@pytest.mark.parametrize(
    ("chip", "how"),
    [("rk3588", "simulated"), ("snapdragon-8-gen-2", "emulated"), ("nvidia-a100", "compiled")],
)
def test_a_search_for_a_chip_ends_with_a_variant_that_runs_there(
    studio: Studio, chip: str, how: str
) -> None:
    model = DIGITS / "digits.onnx"
    search = ("--for", chip, "--max-drop", "0.01", "--search")
    found = studio.ok("quantize", model, *DATA, *search, timeout=_LONG)
    assert (found["chip"]["verdict"], found["chip"]["how"]) == ("runs", how)
    assert found["chip"]["nodes"]["fallback"] == 0
    assert found["metric"]["drop"] <= 0.01
    report = found["chip_search"]
    assert report["chip"] == chip
    chosen = [one for one in report["trials"] if one["kept"] == report["chosen"]]
    assert chosen[0]["verdict"] == "runs"
    if how != "compiled":
        assert chosen[0]["chip_drop"] <= 0.01
        assert found["chip"]["numbers"]["metric"]["value"] >= 0.98


@pytest.mark.parametrize("chip", ["rk3588", "snapdragon-8-gen-2"])
def test_the_first_value_that_differs_is_named(studio: Studio, chip: str, tmp_path: Path) -> None:
    small = tmp_path / "small.onnx"
    studio.ok("quantize", DIGITS / "digits.onnx", *DATA, "--preset", "int8", "--out", small)
    found = studio.ok("check", small, "--for", chip, *DATA[:2], "--locate", timeout=_LONG)
    first = found["numbers"]["first"]
    assert first["operator"] == "DequantizeLinear"
    assert 0 < first["error"] < 0.1
