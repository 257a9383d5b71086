"""The main job on PP-OCRv5 recognition: 746 nodes, 16 MB, texts as labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import Studio

pytestmark = pytest.mark.slow


@pytest.mark.long
def test_the_commands_on_a_real_model(studio: Studio, tmp_path: Path) -> None:
    sample = Path(studio.ok("samples", "get", "ocr", timeout=600)["folder"])
    model, small = sample / "ppocrv5-rec.onnx", tmp_path / "int8.onnx"

    seen = studio.ok("inspect", model)
    assert seen["nodes"] == 746
    assert seen["parameters"] > 4_000_000
    drawn = studio.ok("graph", model, "--out", tmp_path / "graph.svg")
    assert drawn["nodes"] + drawn["constants"] == 746, "constants have no box"
    assert (tmp_path / "graph.svg").stat().st_size > 50_000

    made = studio.ok(
        "quantize",
        model,
        *("--data", sample / "calibration", "--samples", "16"),
        *("--eval-data", sample / "heldout", "--eval-samples", "25"),
        *("--dictionary", sample / "dictionary.txt", "--out", small, "--max-drop", "0.15"),
        timeout=600,
    )
    assert made["metric"]["name"] == "exact"
    assert made["metric"]["before"] > 0.9
    assert made["size_ratio"] < 0.4

    diff = studio.ok("diff", model, small)
    assert diff["matched"] >= 0.98 * diff["compute"]
    quantizers = [one for one in diff["inserted"] if one["operator"].endswith("Linear")]
    assert len(quantizers) > 100
    assert all(" for " in one["text"] for one in quantizers)

    profile = studio.ok(
        *("profile", model, small, "--seconds", "1", "--shapes", "x=1x3x48x160"), timeout=600
    )
    (verdict,) = profile["verdicts"]
    assert verdict["verdict"] in ("faster", "slower", "equal", "undecided")
    assert verdict["low"] <= verdict["ratio"] <= verdict["high"]

    first = studio.ok("deploy", model, "--data", sample / "heldout", timeout=600)
    second = studio.ok("deploy", small, "--data", sample / "heldout", timeout=600)
    called = studio.ok("call", "--requests", "20", "--data", sample / "heldout")
    assert (called["answered"], called["failed"]) == (20, 0)
    assert str(studio.ok("monitor")["version"]) == str(second["version"])
    assert studio.ok("rollback")["to"] == first["version"]
    assert studio.ok("releases")[0]["state"] == "serving"
