"""Predictions on the cards, each with its basis; and what is missing before the work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.datasets.results import DataPreview, DataProblem, LabelKind
from studio.documents.dataclass_json import from_json
from studio.gui.pages.quantize import chips, outlook, requirements
from studio.gui.pages.quantize.outlook import UNKNOWN
from studio.gui.pages.quantize.requirements import DataChoice, data_line, missing
from studio.projects.results import TEXT_RECOGNITION, Project
from studio.quantization.results import PreflightResult, SensitivityResult, SpeedupOutlook
from studio.workspace import PresetEntry, SizeEstimate, VariantRecord
from tests.gui.page_rig import METRIC, Rig, opened

READER = Project(model="reader", task=TEXT_RECOGNITION, metric="exact")


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


def entry(rig: Rig, name: str = "int8") -> PresetEntry:
    return rig.workspace.presets.find(name)


def preview(kind: str | None, count: int = 9) -> DataPreview:
    return DataPreview(count, (), LabelKind(kind, 2), ())


# Predictions


def test_a_size_is_predicted_and_then_measured(rig: Rig) -> None:
    model = rig.variant()
    found = outlook.size(SizeEstimate(117_000, 36_800, 115_800), None, 117_000)
    assert (found.text, found.tone) == ("117.0 → 36.8 kB", "")
    assert found.basis == "Size predicted from 115.8 kB of weights that change."
    assert found.high == pytest.approx(36.8 / 117, abs=1e-3)
    made = rig.variant("int8", model)
    assert outlook.size(None, made, model.size).basis == "Size of the file of int8."
    assert outlook.size(None, None, 9).text == UNKNOWN
    assert outlook.size(SizeEstimate(2_000_000, 999_000, 9), None, 2_000_000).text.endswith("kB")


def test_a_speed_is_a_range_with_its_source_and_of_no_other_chip() -> None:
    estimate = SpeedupOutlook(("VNNI",), 1.0, 0.5, 0.8, False, "")
    here = outlook.speed(estimate, None, True, "")
    assert here.text == "1.2 to 2.0×"
    assert here.basis == "Speed from layers timed alone on this computer."
    assert (here.low, here.high) == (1.25 / 4, 2.0 / 4)
    there = outlook.speed(estimate, None, False, "")
    assert there.text == UNKNOWN
    assert "on the target" in there.basis
    unknown = outlook.speed(replace(estimate, share=None), None, True, "Pays on GPUs.")
    assert (unknown.text, unknown.high) == (UNKNOWN, 0.0)
    assert unknown.basis.endswith("Pays on GPUs.")


def test_a_slower_variant_is_red_and_its_speed_is_the_measured_one(rig: Rig) -> None:
    made = rig.variant("int8", rig.variant(), latency_ratio=1.08, latency_interval=[1.03, 1.11])
    found = outlook.speed(None, made, True, "")
    assert (found.text, found.tone) == ("0.90 to 0.97×", "bad")
    assert found.basis == "Speed of int8, measured on this computer."


@pytest.mark.parametrize(
    ("decibels", "level", "text"),
    [(40.0, 1, "low risk"), (20.0, 2, "medium risk"), (9.0, 3, "high risk")],
)
def test_a_risk_follows_from_the_sensitivity_of_the_layers(
    rig: Rig, decibels: float, level: int, text: str
) -> None:
    layer = {"name": "a", "bits": 8, "sqnr_db": decibels, "float_us": 1, "int8_us": 1, "gain_us": 0}
    layers = [layer, {**layer, "name": "b"}]
    backend = {"id": "onnxruntime", "version": "1"}
    document = {"model": "m", "layers": layers, "metric": None, "signature": None}
    known = from_json(SensitivityResult, {**document, "backend": backend, "seconds": 1})
    found = outlook.accuracy(entry(rig), None, known, None)
    assert (found.level, found.text) == (level, text)
    assert "sensitivity of 2 layers" in found.basis
    assert outlook.accuracy(entry(rig, "fp16"), None, known, None).text == UNKNOWN, "int8 alone"


def test_a_measured_drop_is_compared_with_the_budget(rig: Rig) -> None:
    made = rig.variant("int8", rig.variant(), metric=METRIC)
    for budget, level in ((None, 1), (0.01, 1), (0.001, 3)):
        found = outlook.accuracy(entry(rig), made, None, budget)
        assert found.level == level
        assert found.basis == "Risk from int8: Top-1 accuracy 98.1 → 97.6 % (−0.5 pt)."


def test_only_an_unchanged_preset_has_the_figures_of_a_variant(rig: Rig) -> None:
    model = rig.variant()
    same = {"method": "static-int8", "samples": 128, "calibration": "activation-aware"}
    plain = {**same, "per_channel": True}

    def variant(name: str, **made: object) -> VariantRecord:
        return rig.variant(name, model, **made)

    made = variant("one", preset=plain)
    variant("two", preset={**plain, "keep": ["head"]})
    variant("three", preset={**plain, "samples": 32})
    variant("four", preset=plain, search={"trials": [], "layers": {}})
    found = outlook.made_with(entry(rig), rig.registry.variants())
    assert found is not None
    assert found.id == made.id


# Chips


def test_the_recommended_preset_comes_first_and_then_the_smallest(rig: Rig) -> None:
    every = rig.workspace.presets.all()
    sizes: dict[str, float | None] = {"int8": 0.3, "fp16": 0.5, "int8-dynamic": 0.8}
    shown = chips.offered(chips.BY_ID["x86"], every, sizes)
    assert [one.name for one in shown] == ["int8", "fp16", "int8-dynamic"]
    shown = chips.offered(chips.BY_ID["x86"], every, {**sizes, "int4-weights": 0.2})
    assert [one.name for one in shown] == ["int8", "int4-weights", "fp16"]
    for chip in chips.CHIPS:
        assert len(chips.offered(chip, every, {})) == chips.CARDS, chip.title


def test_a_chip_names_where_there_is_one() -> None:
    arm = chips.BY_ID["arm"]
    targets = {"pi": "aarch64", "old-pi": "armv7l", "server": "x86_64"}
    assert chips.places(arm, "x86_64", targets) == "pi, 1 more"
    assert chips.places(arm, "arm64", {}) == "This computer"
    assert chips.places(arm, "x86_64", {}) == "Any device"
    assert chips.chip_of("riscv64") is chips.CHIPS[0]


# What is missing


def test_a_dictionary_is_asked_for_and_can_be_done_without() -> None:
    choice = DataChoice("c.npz", "h.npz")
    found = missing(choice, READER, None, needs_data=True)
    assert found is not None
    assert (found.action, found.blocks, found.can_skip) == ("Add dictionary", True, True)
    for other in (
        replace(choice, dictionary="d.txt"),
        replace(choice, metric="none"),
        replace(choice, metric="sqnr"),
    ):
        assert missing(other, READER, None, needs_data=True) is None


def test_labels_of_the_wrong_kind_are_said_before_the_work() -> None:
    choice = DataChoice("c.npz", "h.npz")
    found = missing(choice, None, PreflightResult(None, preview("text")), needs_data=True)
    assert found is not None
    assert found.field == "dictionary", "texts, and nothing else is known"
    classifier = Project(model="m", task="classification", metric="top1")
    found = missing(choice, classifier, PreflightResult(None, preview("text")), needs_data=True)
    assert found is not None
    assert "class names" in found.text
    assert found.blocks
    assert (
        missing(choice, classifier, PreflightResult(None, preview("class")), needs_data=True)
        is None
    )


def test_no_evaluation_data_is_a_note_and_with_a_budget_an_obstacle() -> None:
    choice = DataChoice("c.npz")
    unlabelled = PreflightResult(preview(None))
    note = missing(choice, None, unlabelled, needs_data=True)
    assert note is not None
    assert (note.action, note.blocks) == ("Add evaluation data", False)
    strict = missing(replace(choice, budget=0.01), None, unlabelled, needs_data=True)
    assert strict is not None
    assert strict.blocks
    assert missing(choice, None, PreflightResult(preview("class")), needs_data=True) is None
    assert missing(choice, None, None, needs_data=True) is None, "its labels are not known yet"


def test_calibration_data_and_data_that_do_not_fit_come_first() -> None:
    found = missing(DataChoice(), READER, None, needs_data=True)
    assert found is not None
    assert found.field == "calibration"
    wrong = PreflightResult(None, DataProblem("Input 'x' is missing.", "Give others."))
    found = missing(DataChoice("c.npz", "h.npz", "d.txt"), READER, wrong, needs_data=True)
    assert found is not None
    assert (found.text, found.field) == ("Input 'x' is missing. Give others.", "evaluation")


def test_the_dictionary_beside_the_data_counts(tmp_path: Path) -> None:
    data = tmp_path / "heldout.npz"
    assert DataChoice.read({"heldout_data": str(data)}).dictionary is None
    (tmp_path / "dictionary.txt").write_text("a\n")
    read = DataChoice.read({"heldout_data": str(data), "max_drop": "", "metric": "cer"})
    assert (read.eval_data, read.metric, read.budget) == (str(data), "cer", None)
    assert read.dictionary == str(tmp_path / "dictionary.txt")
    assert DataChoice.read({"max_drop": "x"}) == DataChoice()


def test_the_data_in_one_line() -> None:
    choice = DataChoice("/a/calibration.npz", "/a/heldout", budget=0.01)
    known = PreflightResult(preview(None, 64), preview("text", 200))
    assert data_line(choice, READER, known) == (
        "calibration calibration.npz, 64 samples · evaluation heldout, 200 samples · metric exact"
        " · metric drop budget 1.0 pt"
    )
    assert data_line(DataChoice(), None, None) == "no data"
    assert data_line(DataChoice.read({"for": "rk3588"}), None, None) == "for rk3588"
    assert requirements.DataChoice(metric="none").metric_for(READER) == "none"
