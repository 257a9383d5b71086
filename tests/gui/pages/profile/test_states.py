"""The states of the Profile page: empty, running, done, inconclusive, failed; and its next step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QComboBox, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from studio.gui.pages.profile.page import ProfilePage
from studio.gui.widgets.basics import ElidedLabel, Pill
from studio.jobs import End
from studio.projects.results import Project
from studio.registry import VariantRecord
from studio.workspace import JobOutcome, NodeTimeAsked
from tests.gui.page_rig import Rig, opened, visible_texts
from tests.gui.pages.profile.test_page import RESULT, run, verdict

OPTIONS: dict[str, Any] = {
    "backend": ["onnxruntime"],
    "mode": "latency",
    "threads": 2,
    "seconds": 10.0,
    "rounds": 40,
    "operators": True,
    "data": None,
    "shapes": None,
    "target": "local",
}


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


def two(rig: Rig) -> tuple[VariantRecord, VariantRecord]:
    first = rig.variant()
    return first, rig.variant("int8", first)


def profiled(rig: Rig, *variants: VariantRecord, word: str = "faster", **result: Any) -> None:
    """A profile of two variants with a verdict."""
    ratio = {"faster": (0.54, 0.53, 0.56), "undecided": (1.01, 0.96, 1.05)}[word]
    runs = [
        run(one.name, p50, variant_id=one.id, samples=800)
        for one, p50 in zip(variants, (20.0, 11.0), strict=True)
    ]
    document = {
        **RESULT,
        "runs": runs,
        "verdicts": [verdict("int8", word, *ratio)],
        "rounds": 40,
        "rounds_kept": 40,
        "spoiled": 0,
        **result,
    }
    numbers = [one.id for one in variants]
    rig.registry.add_run("profile", variants[0].id, {**OPTIONS, "models": numbers}, document)


def primary(page: ProfilePage) -> str:
    assert page.primary is not None
    return page.primary.text()


def test_the_empty_page_says_what_comes_and_how_long_it_takes(rig: Rig) -> None:
    first, _ = two(rig)
    page = rig.page(ProfilePage, first)
    shown = visible_texts(page)
    assert "No results yet" in shown
    assert "Profiling 2 variants on this computer takes about 29 s." in shown
    assert primary(page) == "Profile 2 variants"
    assert page.form.isVisible()
    page.form.set_values({"seconds": 60})
    assert "takes about 1 min 9 s." in visible_texts(page)


def test_operators_are_on_and_their_cost_is_said(rig: Rig) -> None:
    page = rig.page(ProfilePage, rig.variant())
    assert "about 50 inferences of each variant" in visible_texts(page)
    page.run()
    assert rig.shell.jobs[-1].options["operators"] is True


def test_a_run_folds_the_settings_and_shows_how_far_it_is(rig: Rig) -> None:
    page = rig.page(ProfilePage, rig.variant())
    page.run()
    rig.progress(page, 0.3, 1, "Round 4 of 40")
    shown = visible_texts(page)
    assert not page.form.isVisible()
    assert "Round 4 of 40" in shown
    assert "Cancel" in shown
    assert "This computer · ONNX Runtime · single stream · 20 s · with operators" in shown
    assert page.primary is not None
    assert not page.primary.isEnabled()
    assert "Cancel it" in page.primary.toolTip()


def test_an_open_verdict_beside_an_interval_without_1_has_its_margin_and_is_not_cut(
    rig: Rig,
) -> None:
    first, second = two(rig)
    profiled(rig, first, second, verdicts=[verdict("int8", "undecided", 0.88, 0.87, 0.998)])
    table = rig.page(ProfilePage, second).results.table
    last = table.columnCount() - 1
    heading = table.horizontalHeaderItem(last)
    assert heading is not None
    assert heading.text() == "Verdict (±3 %)"
    holder = table.cellWidget(1, last)
    pill = holder.findChild(Pill) if holder is not None else None
    assert isinstance(pill, Pill)
    assert pill.state == ("inconclusive", "warning")
    assert table.needed_width() <= table.viewport().width()


def test_a_verdict_leads_to_the_deployment_of_the_fastest(rig: Rig) -> None:
    first, second = two(rig)
    profiled(rig, first, second)
    page = rig.page(ProfilePage, first)
    assert primary(page) == "Deploy int8"
    assert "int8 is 1.85× faster than fp32 (95 % CI 1.79 to 1.89)" in visible_texts(page)
    page.primary.click()  # type: ignore[union-attr]
    assert rig.shell.selected == [second.id]
    assert rig.shell.went == ["deploy"]


def test_changed_settings_make_another_run_the_next_step(rig: Rig) -> None:
    first, second = two(rig)
    profiled(rig, first, second)
    page = rig.page(ProfilePage, first)
    assert not page.form.isVisible()
    page.settings.change.click()
    assert page.form.isVisible()
    assert primary(page) == "Profile 2 variants"
    page.form.set_values({"seconds": 33})
    page.settings.change.click()
    assert primary(page) == "Deploy int8"
    page.settings.again.click()
    assert rig.shell.jobs[-1].options["seconds"] == 33, "settings are kept"


def test_the_settings_of_the_last_run_are_there_after_a_restart(rig: Rig) -> None:
    first, second = two(rig)
    profiled(rig, first, second)
    page = rig.page(ProfilePage, first)
    page.run()
    options = rig.shell.jobs[-1].options
    assert (options["seconds"], options["threads"]) == (10.0, 2)


def test_what_is_inconclusive_names_the_run_that_would_decide(rig: Rig) -> None:
    first, second = two(rig)
    profiled(rig, first, second, word="undecided")
    page = rig.page(ProfilePage, first)
    button = page.outcome.verdict.more
    assert button.text() == "Run 210 rounds"
    # 20 inferences of each in a round; fp32 counts twice, as its own A/A control.
    assert "A new run of 210 rounds, about 3 min 45 s, would probably decide." in visible_texts(
        page
    )
    assert primary(page) == "Profile again"
    button.click()
    options = rig.shell.jobs[-1].options
    assert options["model"] == [f"#{first.id}", f"#{second.id}"]
    assert (options["rounds"], options["seconds"]) == (210, 52.5)
    assert (options["data"], options["threads"]) == ("none", 2)


def test_disturbed_rounds_are_made_up_for(rig: Rig) -> None:
    first, second = two(rig)
    profiled(rig, first, second, word="undecided", rounds_kept=20, spoiled=20)
    page = rig.page(ProfilePage, first)
    assert page.outcome.verdict.more.text() == "Run 420 rounds"


def test_more_rounds_need_the_variants(rig: Rig) -> None:
    first, second = two(rig)
    gone = replace(second, id=second.id + 1)
    profiled(rig, first, gone, word="undecided")
    page = rig.page(ProfilePage, first)
    assert not page.outcome.verdict.more.isEnabled()
    assert "was removed" in page.outcome.verdict.more.toolTip()


def test_too_many_rounds_are_not_proposed(rig: Rig) -> None:
    first, second = two(rig)
    open_one = {**verdict("int8", "undecided", 1.029, 0.99, 1.06), "rounds_needed": 40_000}
    profiled(rig, first, second, word="undecided", verdicts=[open_one])
    page = rig.page(ProfilePage, first)
    assert not page.outcome.verdict.more.isVisible()


def test_a_failure_stays_until_the_next_run(rig: Rig) -> None:
    first, second = two(rig)
    profiled(rig, first, second)
    page = rig.page(ProfilePage, first)
    page.run()
    ended = JobOutcome(
        End.FAILED, "Profile", message="jetson is unreachable.", hint="Check the power.", detail="x"
    )
    rig.finish(page, ended)
    shown = visible_texts(page)
    for text in ("failed", "jetson is unreachable.", "Check the power.", "▸ Details", "Try again"):
        assert text in shown
    assert page.results.table.rowCount() == 2, "the last profile is still there"
    assert primary(page) == "Profile again"
    page.refresh()
    assert "jetson is unreachable." in visible_texts(page)
    page.outcome.failure.again.click()
    assert len(rig.shell.jobs) == 2
    assert "jetson is unreachable." not in visible_texts(page)


def test_a_cancelled_run_leaves_the_last_profile(rig: Rig) -> None:
    first, second = two(rig)
    profiled(rig, first, second)
    page = rig.page(ProfilePage, first)
    page.run()
    rig.finish(page, JobOutcome(End.CANCELLED))
    assert "failed" not in visible_texts(page)
    assert primary(page) == "Deploy int8"


def test_the_projects_sample_is_the_input_and_answers_the_open_sizes(
    rig: Rig, tmp_path: Path
) -> None:
    data = tmp_path / "calibration.npz"
    data.write_bytes(b"x")
    variant = rig.variant(inputs=[{"name": "x", "dtype": "float32", "shape": [None, 3, 48, None]}])
    page = rig.page(ProfilePage, variant)
    assert page.sizes.isVisible()
    rig.shell.project.show(Project(model="digits", calibration=str(data)))
    assert not page.sizes.isVisible()
    assert "calibration.npz" in visible_texts(page)
    page.run()
    options = rig.shell.jobs[-1].options
    assert options["data"] == str(data)
    assert "shapes" not in options


def test_given_sizes_count_more_than_the_sample(rig: Rig, tmp_path: Path) -> None:
    data = tmp_path / "calibration.npz"
    data.write_bytes(b"x")
    page = rig.page(ProfilePage, rig.variant())
    rig.shell.project.show(Project(model="digits", calibration=str(data)))
    page.form.set_values({"shapes": ["image=4x1x8x8"]})
    page.run()
    options = rig.shell.jobs[-1].options
    assert options["shapes"] == ["image=4x1x8x8"]
    assert "data" not in options


def test_the_page_of_another_model_begins_anew(rig: Rig) -> None:
    first, second = two(rig)
    profiled(rig, first, second)
    page = rig.page(ProfilePage, first)
    page.settings.change.click()
    page.show_variant(None)
    assert not page.outcome.isVisible()
    page.show_variant(first)
    assert primary(page) == "Deploy int8"


def test_a_node_without_a_time_is_said(rig: Rig) -> None:
    first, second = two(rig)
    profiled(rig, first, second)
    page = rig.page(ProfilePage, second)
    page.on_event(NodeTimeAsked("conv1"))
    assert rig.shell.said[-1] == "The newest profile has no time of conv1 in int8."


@pytest.mark.parametrize("width", [876, 1196, 1836])
def test_no_text_is_cut(rig: Rig, width: int) -> None:
    """The page of a window that is 960, 1280 or 1920 pixels wide."""
    first, second = two(rig)
    profiled(rig, first, second, word="undecided")
    page = rig.page(ProfilePage, first)
    page.resize(width, 508)
    for show in (lambda: None, page.settings.change.click, page.run):
        show()
        visible_texts(page)  # which lets the layouts settle
        assert cut(page) == []


def cut(page: ProfilePage) -> list[str]:
    """The texts of labels, buttons and choices that are narrower than they are long."""
    plain = [one for one in page.findChildren(QLabel) if not one.wordWrap()]
    shown = [*plain, *page.findChildren(QPushButton), *page.findChildren(QComboBox)]
    found = []
    for one in shown:
        if not one.isVisible() or isinstance(one, ElidedLabel):
            continue
        text = one.currentText() if isinstance(one, QComboBox) else one.text()
        room = one.width() - (ARROW if isinstance(one, QComboBox) else 0)
        if room < one.fontMetrics().horizontalAdvance(text):
            found.append(text)
    return found


ARROW = 40
"""What a choice needs besides its text."""
