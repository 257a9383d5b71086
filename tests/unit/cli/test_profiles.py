"""``studio profiles``: what was measured before, in lists, comparisons and files."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from studio.cli.main import main
from studio.registry import Registry
from studio.settings import Paths
from tests.unit.cli.test_commands import run_json

MESSAGES = {"verdicts": [], "notes": ["The machine was busy."], "mode": "latency"}


def result(p50: float) -> dict[str, Any]:
    row = {
        "id": "digits:fp32",
        "model": "digits:fp32",
        "variant": "fp32",
        "variant_id": 1,
        "backend": "onnxruntime",
        "device": "cpu",
        "precision": "fp32",
        "state": "measured",
        "reason": "",
        "latency_ms": {"p50": p50, "p90": None, "p99": None},
        "round_ms": [p50 * (1 + 0.001 * (number % 3)) for number in range(30)],
        "max_error": 0.0,
    }
    return {**MESSAGES, "runs": [row], "reference": "digits:fp32", "environment": {}}


@pytest.fixture(autouse=True)
def two_profiles(studio_home: Path, tmp_path: Path) -> None:
    file = tmp_path / "digits.onnx"
    file.write_bytes(b"a model")
    registry = Registry.open(Paths.of().registry)
    variant = registry.add_variant(
        registry.add_model("digits"),
        "fp32",
        registry.adopt(file),
        format="onnx",
        precision="fp32",
        parent=None,
        step="open",
        options={},
        summary={},
        graph=None,
    )
    for p50 in (1.0, 1.5):
        registry.add_run("profile", variant.id, {"models": [variant.id]}, result(p50))
    registry.close()


def test_they_are_listed_the_newest_first(capsys: pytest.CaptureFixture[str]) -> None:
    code, document, _ = run_json(capsys, "profiles", "list", "--model", "digits")
    assert code == 0
    assert [(row["run"], row["best"], row["unit"]) for row in document["profiles"]] == [
        (2, 1.5, "ms"),
        (1, 1.0, "ms"),
    ]
    assert main(["profiles", "list"]) == 0
    assert "digits:fp32" in capsys.readouterr().out


def test_two_are_compared(capsys: pytest.CaptureFixture[str]) -> None:
    code, document, _ = run_json(capsys, "profiles", "compare", "1", "2")
    assert code == 0
    (row,) = document["rows"]
    assert row["verdict"] == "slower"
    assert row["low"] <= 1.5 <= row["high"]
    assert main(["profiles", "compare", "1", "2"]) == 0
    assert "slower" in capsys.readouterr().out


def test_one_is_shown_as_when_it_was_measured(capsys: pytest.CaptureFixture[str]) -> None:
    code, document, _ = run_json(capsys, "profiles", "show", "2")
    assert (code, document["run"], document["model"]) == (0, 2, "digits")
    assert main(["profiles", "show", "2"]) == 0
    assert "The machine was busy." in capsys.readouterr().out


def test_one_is_written_as_a_table(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "two.csv"
    code, document, _ = run_json(capsys, "profiles", "export", "2", "--out", str(out))
    assert (code, document["output"]) == (0, str(out))
    with out.open(newline="", encoding="utf-8") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["run"], row["p50_ms"], row["variant"]) == ("2", "1.5", "fp32")


@pytest.mark.parametrize(
    "words", [("show", "9"), ("compare", "1", "9"), ("export", "9", "--out", "a.csv")]
)
def test_one_that_is_not_there_is_a_sentence(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    code, document, _ = run_json(capsys, "profiles", *words)
    assert code == 2
    assert document["error"]["message"] == "Unknown profile 9."
