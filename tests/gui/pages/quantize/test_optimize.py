"""The Optimize page: chip, cards, what is asked for, what follows a success or a failure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget
from pytestqt.qtbot import QtBot

from studio.gui.pages.quantize.outlook import UNKNOWN
from studio.gui.pages.quantize.page import SAMPLES, QuantizePage
from studio.gui.pages.quantize.preset_cards import ChipBar
from studio.gui.pages.quantize.run_state import DONE, EMPTY, FAILED, RUNNING
from studio.gui.widgets.basics import ElidedLabel
from studio.gui.window.main_window import MainWindow
from studio.gui.window.stages import BY_ID
from studio.jobs import End
from studio.projects.results import TEXT_RECOGNITION, Project
from studio.workspace import JobOutcome, VariantRecord
from tests.gui.page_rig import METRIC, Rig, opened, visible_texts
from tests.gui.pages.profile.test_page import verdict
from tests.gui.pages.profile.test_states import profiled

PROMOTE = "Make current and profile"


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


def page_with_data(rig: Rig, folder: Path) -> QuantizePage:
    page = rig.page(QuantizePage, rig.variant())
    page.cards.chips.choose("x86")
    page.form.set_values({"data": str(folder)})
    return page


def finished(rig: Rig, page: QuantizePage) -> int:
    """Let the page make a variant; its number."""
    page.run()
    made = rig.variant("int8", rig.registry.variants()[0], size_ratio=0.3, metric=METRIC)
    rig.finish(page, JobOutcome(End.SUCCEEDED))
    return made.id


def test_the_stage_is_called_optimize_and_its_stored_name_stays() -> None:
    assert BY_ID["quantize"].title == QuantizePage.title == "Optimize"
    assert BY_ID["quantize"].page.endswith("pages.quantize.page:QuantizePage")


# The choice


def test_a_card_chooses_its_preset(rig: Rig, tmp_path: Path, qtbot: QtBot) -> None:
    page = page_with_data(rig, tmp_path)
    first, second, _ = page.cards.cards
    assert first.radio.isChecked()
    assert first.recommended.isVisible()
    qtbot.mouseClick(second, Qt.MouseButton.LeftButton)
    assert page.preset.chosen_name == second.name
    assert [card.radio.isChecked() for card in page.cards.cards] == [False, True, False]
    page.run()
    assert rig.shell.jobs[-1].options["preset"] == second.name


def test_sizes_are_predicted_when_the_page_is_seen(
    rig: Rig, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    predicted: list[int] = []

    def sizes(origin: VariantRecord, texts: Sequence[str], _: object) -> list[None]:
        predicted.append(origin.id)
        return [None] * len(texts)

    monkeypatch.setattr(rig.workspace.presets, "sizes", sizes)
    model = rig.variant()
    page = rig.page(QuantizePage)
    page.hide()
    page.show_variant(model)
    page.form.set_values({"data": str(tmp_path)})
    assert page.choice._estimated is None
    page.show()
    qtbot.waitUntil(lambda: predicted == [model.id])


def test_another_chip_brings_its_own_presets(rig: Rig, tmp_path: Path) -> None:
    page = page_with_data(rig, tmp_path)
    page.cards.chips.buttons["npu"].click()
    assert page.cards.cards[0].name == "int8-whole"
    assert page.preset.chosen_name == "int8-whole"
    assert page.cards.cards[0].texts[1].text() == UNKNOWN, "runs on this computer only"


def test_the_chip_of_this_computer_is_chosen_first(qtbot: QtBot) -> None:
    for machine, chip in (("aarch64", "arm"), ("x86_64", "x86")):
        bar = ChipBar(machine)
        qtbot.addWidget(bar)
        assert bar.chip.id == chip
        assert bar.is_here
    bar.choose("gpu")
    assert not bar.is_here


def test_a_preset_that_no_card_shows_is_named(rig: Rig, tmp_path: Path) -> None:
    page = page_with_data(rig, tmp_path)
    page.preset.choose("int8-percentile")
    assert page.data.options.text().endswith("presets and options: int8, percentile ranges")
    assert not any(card.radio.isChecked() for card in page.cards.cards)
    page.preset.choose("int8")
    assert page.preset.form is not None
    page.preset.form.set_values({"samples": 7})
    assert page.data.options.text().endswith("int8, calibrated, changed")


def test_the_sheet_has_the_primary_while_it_is_open(rig: Rig, tmp_path: Path, qtbot: QtBot) -> None:
    page = page_with_data(rig, tmp_path)
    assert page.primary is not None
    page.data.options.click()
    assert page.sheet.isVisible()
    assert not page.primary.isVisible()
    qtbot.keyClick(page.sheet, Qt.Key.Key_Escape)
    assert not page.sheet.isVisible()
    assert page.primary.isVisible()
    page.data.options.click()
    page.sheet.primary.click()
    assert not page.sheet.isVisible()
    assert rig.shell.jobs[-1].step == "quantize"


# What is missing


def test_a_missing_dictionary_is_asked_for_at_its_place(rig: Rig, tmp_path: Path) -> None:
    page = page_with_data(rig, tmp_path)
    page.form.set_values({"eval_data": str(tmp_path)})
    rig.shell.project.show(Project(model="digits", task=TEXT_RECOGNITION, metric="exact"))
    page.form.set_values({"data": str(tmp_path), "eval_data": str(tmp_path)})
    assert page.primary is not None
    assert not page.primary.isEnabled()
    assert "Set its dictionary to measure exact match." in visible_texts(page.data)
    page.run()
    assert not [job for job in rig.shell.jobs if job.step == "quantize"]
    asked: list[bool] = []
    rig.shell.project.change_asked.connect(lambda: asked.append(True))
    assert page.data.change.text() == "Add dictionary"
    page.data.change.click()
    assert asked == [True]
    page.data.skip.click()
    assert "no evaluation" in visible_texts(page.data)
    page.run()
    assert rig.shell.jobs[-1].options["metric"] == "none"


def test_a_skipped_evaluation_is_not_kept_for_the_next_model(rig: Rig, tmp_path: Path) -> None:
    page = page_with_data(rig, tmp_path)
    page.form.set_values({"metric": "none"})
    page.show_variant(rig.registry.variants()[0])
    assert page.form.values()["metric"] == "none", "the same model"
    page.show_variant(None)
    assert page.form.values()["metric"] == "auto"


# States


def test_states_follow_each_other_at_the_same_place(rig: Rig, tmp_path: Path) -> None:
    page = page_with_data(rig, tmp_path)
    state = page.variants.state
    assert state.currentIndex() == EMPTY
    assert "No results yet" in visible_texts(page)
    page.run()
    assert state.currentIndex() == RUNNING
    rig.progress(page, 1, 4, "Calibrating (1 of 4)")
    assert "Calibrating" in visible_texts(state)
    outcome = JobOutcome(End.FAILED, message="Over the budget.", hint="Search.", detail="trace")
    rig.finish(page, outcome)
    assert state.currentIndex() == FAILED
    shown = visible_texts(state)
    assert "Over the budget." in shown
    assert "Search." in shown
    assert "trace" not in shown, "behind a disclosure"
    assert not state.search.isVisible()
    page.refresh()
    assert state.currentIndex() == FAILED, "until the next job"
    page.run()
    assert state.currentIndex() == RUNNING
    rig.finish(page, JobOutcome(End.CANCELLED))
    assert state.currentIndex() == EMPTY
    finished(rig, page)
    assert state.currentIndex() == DONE
    assert state.minimumHeight() > 0, "nothing moves"


def test_a_failure_stays_with_its_model_until_a_success(rig: Rig, tmp_path: Path) -> None:
    page = page_with_data(rig, tmp_path)
    digits = page.variant
    assert digits is not None
    state = page.variants.state
    page.run()
    rig.finish(page, JobOutcome(End.FAILED, message="Over the budget.", detail="trace"))
    assert state.currentIndex() == FAILED
    state.detail.toggle.click()
    assert "trace" in visible_texts(state)
    page.show_variant(other_model(rig, tmp_path))
    assert state.currentIndex() == EMPTY, "the other model has not failed"
    page.show_variant(digits)
    assert "Over the budget." in visible_texts(state)
    rig.variant("int8", digits, size_ratio=0.3, metric=METRIC)  # by a command or a pipeline
    page.refresh()
    assert state.currentIndex() == DONE


def test_a_failure_names_options_as_the_form_does(rig: Rig, tmp_path: Path) -> None:
    page = page_with_data(rig, tmp_path)
    page.run()
    hint = "Use --search to keep sensitive layers in float, or add calibration samples."
    rig.finish(page, JobOutcome(End.FAILED, message="Over.", hint=hint, error="GateMissed"))
    assert "Use “Layer search” to keep" in visible_texts(page.variants.state)


def other_model(rig: Rig, folder: Path) -> VariantRecord:
    path = folder / "other.onnx"
    path.write_bytes(b"another model")
    registry = rig.registry
    return registry.add_variant(
        registry.add_model("other"), "fp32", registry.adopt(path), format="onnx", precision="fp32"
    )


def test_a_variant_over_its_budget_offers_a_search(rig: Rig, tmp_path: Path) -> None:
    page = page_with_data(rig, tmp_path)
    page.run()
    rig.finish(page, JobOutcome(End.FAILED, message="Over.", error="GateMissed"))
    assert page.variants.state.search.isVisible()
    page.variants.state.search.click()
    assert rig.shell.jobs[-1].options["search"] is True


def test_after_a_success_the_variant_becomes_current_and_profile_is_shown(
    rig: Rig, tmp_path: Path
) -> None:
    page = page_with_data(rig, tmp_path)
    assert page.primary is not None
    assert page.primary.text() == "Optimize"
    made = finished(rig, page)
    assert page.primary.text() == PROMOTE
    assert page.again.isVisible()
    started = len(rig.shell.jobs)
    page.primary.click()
    assert rig.shell.selected == [made]
    assert rig.shell.went == ["profile"]
    assert len(rig.shell.jobs) == started, "nothing is started unasked"


def test_another_choice_leads_back_to_optimize(rig: Rig, tmp_path: Path) -> None:
    page = page_with_data(rig, tmp_path)
    finished(rig, page)
    page.variants.select(rig.registry.variants()[0].id)
    assert page.primary is not None
    assert page.primary.text() == "Optimize", "the current one is selected"
    page.variants.select(rig.registry.variants()[1].id)
    assert page.primary.text() == PROMOTE
    page.preset.choose("fp16")
    assert page.primary.text() == "Optimize"
    assert not page.again.isVisible()


def test_the_verdict_names_regressions_and_leads_to_them(rig: Rig, tmp_path: Path) -> None:
    page = page_with_data(rig, tmp_path)
    model = rig.registry.variants()[0]
    metric = {**METRIC, "changed": [4, 3], "lost": ["#1"], "gained": []}
    rig.variant(
        "int8", model, size_ratio=0.3, metric=metric, latency_ratio=0.8, threads=1,
        latency_interval=[0.78, 0.82], facts={"kept": {"a": "x", "b": "y"}}, advice="Take care.",
    )  # fmt: skip
    page.refresh()
    page.variants.select(rig.registry.variants()[1].id)
    shown = visible_texts(page.variants)
    assert "1.25× faster than float on this computer (95 % CI 1.22 to 1.28×, 1 thread)." in shown
    assert "2 layers in float." in shown
    assert "Take care." in shown
    assert "4 of 450; 3 improved" in shown
    page.variants.regressed.all_asked.emit()
    assert page.stack.currentIndex() == SAMPLES


def test_the_speed_of_a_profile_has_its_ratio_and_its_confidence(rig: Rig) -> None:
    first = rig.variant()
    second = rig.variant("int8", first, latency_ratio=0.8, latency_interval=[0.78, 0.82])
    checked_early = {**verdict("int8", "faster", 0.86, 0.79, 0.88), "confidence": 0.997}
    profiled(rig, first, second, verdicts=[checked_early])
    page = rig.page(QuantizePage, second)
    shown = visible_texts(page.variants)
    assert "1.16× faster than float on this computer (99.7 % CI 1.14 to 1.27×)." in shown


def test_an_inconclusive_profile_is_the_one_ratio_of_a_variant(rig: Rig) -> None:
    first = rig.variant()
    slow = "Int8 is slower than float on this machine (1.03 to 1.04 of its time); bad data."
    second = rig.variant("int8", first, latency_ratio=1.03, precision="int8", advice=slow)
    profiled(rig, first, second, verdicts=[verdict("int8", "undecided", 0.88, 0.87, 0.998)])
    shown = visible_texts(rig.page(QuantizePage, second).variants)
    assert "inconclusive: 0.88 of its time (95 % CI 0.87 to 1.00)." in shown
    assert "Bad data." in shown
    assert "1.03" not in shown


# In the real window


def cut_off(root: QWidget) -> list[str]:
    """Texts of labels and buttons that are wider than their widget."""
    found = []
    for item in root.findChildren(QWidget):
        if not item.isVisible() or isinstance(item, ElidedLabel):
            continue
        if isinstance(item, QLabel) and not item.wordWrap() and item.text():
            needed = item.fontMetrics().horizontalAdvance(item.text())
        elif isinstance(item, QAbstractButton) and item.text():
            needed = item.minimumSizeHint().width()
        else:
            continue
        if item.width() < needed:
            found.append(f"{item.text()}: {item.width()} of {needed}")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("width", [960, 1280])
def test_nothing_is_cut_off(digits_window: MainWindow, qtbot: QtBot, width: int) -> None:
    window = digits_window
    window.resize(width, 600 if width == 960 else 800)
    window.go("quantize")
    page = window.page()
    assert isinstance(page, QuantizePage)

    def has_sizes() -> bool:
        return page.cards.cards[0].texts[0].text() != UNKNOWN

    qtbot.waitUntil(has_sizes, timeout=20_000)
    qtbot.wait(50)
    scroll = page.stack.currentWidget().currentWidget()
    assert scroll.widget().width() <= scroll.viewport().width(), "no wider than the page"
    assert cut_off(page) == []
    page.show_options()
    qtbot.wait(50)
    assert cut_off(page.sheet) == []
    assert page.sheet.geometry().right() <= page.rect().right()
