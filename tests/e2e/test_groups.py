"""Quality by group and robustness of the digits: as commands, and as gates of a pipeline."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from studio.features.evidence.groups.measure import measure
from studio.features.evidence.groups.sample_table import SampleTable
from tests.e2e.conftest import Studio

pytestmark = pytest.mark.slow

PIPELINE = """
[pipeline]
name = "groups"

[[steps]]
id = "open"
step = "open"
model = "digits.onnx"

[[steps]]
id = "groups"
step = "groups"
model = "${open.variant}"
data = "heldout.npz"
by = ["label"]

[[steps]]
id = "robust"
step = "robustness"
model = "${open.variant}"
data = "heldout.npz"
family = ["blur", "noise"]
samples = 40

[[gates]]
name = "worst group"
value = "${groups.worst_group.accuracy}"
min = 0.9

[[gates]]
name = "calibration"
value = "${groups.calibration.ece}"
max = 0.05

[[gates]]
name = "blur"
value = "${robust.robustness.blur}"
min = LEAST

[[gates]]
name = "noise"
value = "${robust.robustness.noise}"
min = 0.5
"""


def test_the_report_of_a_command_follows_from_its_table(
    studio: Studio, digits: Path, tmp_path: Path
) -> None:
    table = tmp_path / "samples.csv"
    words = ("groups", digits / "digits.onnx", "--data", digits / "heldout.npz", "--table", table)
    found = studio.ok(*words, "--by", "label*brightness:2")
    assert len(found["groups"]) == 20
    report = measure(SampleTable.read(table), found["seed"], ["label*brightness"])
    assert report.worst_group is not None
    assert report.worst_group.value == found["worst_group"]["value"]
    assert report.calibration is not None
    assert report.calibration.ece == found["calibration"]["ece"]
    assert [cell.low for cell in report.groups] == [cell["low"] for cell in found["groups"]]


def test_variants_are_compared_on_the_same_samples(studio: Studio, digits: Path) -> None:
    data = ("--data", digits / "heldout.npz")
    small = studio.ok("quantize", digits / "digits.onnx", "--data", digits / "calibration.npz")
    found = studio.ok("groups", f"#{small['variant']}", *data, "--against", digits / "digits.onnx")
    assert found["overall"]["against"]["method"] in ("Bonett-Price", "bootstrap-t")
    assert found["against"].startswith("digits:")


def test_a_group_below_what_is_required_is_exit_code_3(studio: Studio, digits: Path) -> None:
    words = ("groups", digits / "digits.onnx", "--data", digits / "heldout.npz")
    assert studio.run(*words, "--require", "0.999").code == 3
    assert studio.run(*words, "--require", "0.9").code == 0


@pytest.mark.parametrize(("least", "code"), [("0.5", 0), ("0.999", 3)])
def test_figures_are_gates_of_a_pipeline(
    studio: Studio, digits: Path, tmp_path: Path, least: str, code: int
) -> None:
    shutil.copytree(digits, tmp_path / "digits")
    file = tmp_path / "digits" / "groups.toml"
    file.write_text(PIPELINE.replace("LEAST", least), encoding="utf-8")
    ended = studio.run("run", file)
    assert ended.code == code, ended.err
    assert "worst group" in ended.out
