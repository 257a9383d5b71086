"""The Boards view of the Profile page: boards to choose, their progress, one table, the history."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from studio.api import TargetSpec
from studio.documents.dataclass_json import from_json, to_json
from studio.features.fleets.pages.studies import texts as words
from studio.features.fleets.pages.studies.table import MEAN
from studio.features.fleets.pages.studies.view import StudyView
from studio.gui.pages.profile.page import ProfilePage
from studio.jobs import End
from studio.profiling.boards.results import BoardFigure, StudyResult, StudyRow
from studio.profiling.boards.verdicts import METHOD
from studio.workspace import JobOutcome, VariantRecord
from tests.gui.page_rig import Rig, opened, texts, visible_texts
from tests.rigs.simulated_studies import study

RECORDED = Path(__file__).parents[3] / "data" / "studies" / "one_lost_board.json"
CAMS = [f"cam-{number}" for number in range(1, 9)]


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


def fleet(rig: Rig) -> None:
    """Eight boards: a group of two, a label of four."""
    for number, name in enumerate(CAMS):
        rig.workspace.add_target(TargetSpec(name, f"ssh://pi@10.0.0.{number + 1}"))
        rig.registry.labels.change(name, {"site": "berlin" if number < 4 else "munich"})
    rig.registry.groups.set("lab", CAMS[:2])


def simulated(ratio: float = 0.6) -> StudyResult:
    """A study of eight boards, one more that was lost and one that was reserved."""
    rows, verdict = study(3, ratio, spread=0.02)
    boards = [
        replace(
            row,
            chip="Cortex-A76",
            run=number,
            profile=None,
            figures=(BoardFigure("a", 20.0, 19.9, 20.1), BoardFigure("b", 12.0, 11.9, 12.1)),
        )
        for number, row in enumerate(rows, 1)
    ]
    boards.append(StudyRow("cam-9", "failed", "Cannot connect to cam-9: no route to host"))
    boards.append(StudyRow("=cam", "reserved", "It is reserved by anna."))
    return StudyResult("20261201-204512", False, "a", tuple(boards), (verdict,), METHOD)


def boards(page: ProfilePage) -> StudyView:
    """The page's view that the feature adds."""
    [view] = page.added
    assert isinstance(view, StudyView)
    return view


def shown(rig: Rig, variant: VariantRecord) -> ProfilePage:
    page = rig.page(ProfilePage, variant)
    page.show_view(page.stack.indexOf(boards(page)))
    return page


def started(rig: Rig) -> ProfilePage:
    """A study of the group that runs."""
    fleet(rig)
    page = shown(rig, rig.variant())
    boards(page).settings.picker.tick(["@lab"])
    page.primary.click()
    return page


def states(page: ProfilePage) -> dict[str, str]:
    return {row[0]: row[-1] for row in texts(boards(page).table)}


def record(rig: Rig, result: StudyResult, variant: VariantRecord, **options: Any) -> int:
    given = {"models": [variant.id], "targets": [row.target for row in result.boards], **options}
    return rig.registry.add_run("study", variant.id, given, to_json(result), {}).id


def test_without_boards_a_sentence_leads_to_the_fleet(rig: Rig) -> None:
    page = shown(rig, rig.variant())
    assert words.FEW_TITLE in visible_texts(page)
    assert not page.primary.isEnabled()
    boards(page)._few.button.click()
    assert rig.shell.went == ["targets"]


def test_the_results_lead_to_the_boards(rig: Rig) -> None:
    page = rig.page(ProfilePage, rig.variant())
    boards(page).several.click()
    assert page.shown_added is boards(page)


def test_groups_labels_and_targets_are_offered_in_natural_order(rig: Rig) -> None:
    fleet(rig)
    rig.workspace.add_target(TargetSpec("cam-10", "ssh://pi@10.0.1.1"))
    page = shown(rig, rig.variant())
    offered = [box.text() for box in boards(page).settings.picker.boxes.boxes.values()]
    assert offered[:3] == ["lab (2 boards)", "site=berlin (4 boards)", "site=munich (4 boards)"]
    assert offered[3:13] == ["This computer", *CAMS, "cam-10"]


def test_a_board_of_two_groups_is_counted_once(rig: Rig) -> None:
    fleet(rig)
    page = shown(rig, rig.variant())
    boards(page).settings.picker.tick(["@lab", "@site=berlin", "cam-8"])
    assert page.primary.text() == "Measure 5 boards"
    assert "5 boards: cam-1, cam-2, cam-3, cam-4, cam-8." in visible_texts(page)


def test_one_board_is_too_few(rig: Rig) -> None:
    fleet(rig)
    page = shown(rig, rig.variant())
    boards(page).settings.picker.tick(["cam-1"])
    boards(page).run()
    assert rig.shell.jobs == []
    assert boards(page).next_step()[1] == words.TOO_FEW


def test_a_study_is_started_with_the_words_of_the_command(rig: Rig) -> None:
    started(rig)
    [job] = rig.shell.jobs
    assert job.step == "study"
    assert job.options["target"] == ["@lab"]
    assert job.options["model"] == [f"#{rig.registry.variants()[0].id}"]
    assert "mode" not in job.options
    assert "resume" not in job.options


def test_each_board_has_its_state_while_a_study_runs(rig: Rig) -> None:
    page = started(rig)
    assert states(page) == {"cam-1": "waiting", "cam-2": "waiting"}
    rig.message(page, "board", row=to_json(StudyRow("cam-1", "measuring")))
    assert states(page)["cam-1"] == "measuring"
    measured = replace(simulated().boards[0], verdicts=())
    rig.message(page, "board", row=to_json(measured))
    rig.message(page, "board", row=to_json(StudyRow("cam-2", "failed", "No route to host.")))
    assert states(page) == {"cam-1": "measured", "cam-2": "lost"}
    seen = visible_texts(page)
    assert "1 of 2 boards measured, 1 lost" in seen
    assert "No route to host." in seen
    assert not page.primary.isEnabled()


def test_the_table_has_a_verdict_for_each_board_and_the_mean(rig: Rig) -> None:
    page = started(rig)
    result = simulated()
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=result))
    rows = texts(boards(page).table)
    assert [row[-1] for row in rows] == ["faster"] * 8 + ["lost", "reserved", "faster"]
    assert rows[0][0:2] == ["cam-1", "Cortex-A76"]
    assert rows[0][3:5] == ["20.0 [19.9–20.1]", "12.0 [11.9–12.1]"]
    assert rows[-1][0] == MEAN
    [mean] = result.overall
    assert rows[-1][5] == f"{mean.ratio:.2f} [{mean.low:.2f}–{mean.high:.2f}]"


def test_the_verdict_and_the_reasons_of_lost_boards_are_sentences(rig: Rig) -> None:
    page = started(rig)
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=simulated()))
    seen = visible_texts(page)
    assert "× faster than a over 8 boards (95 % CI " in seen
    assert "Cannot connect to cam-9: no route to host." in seen
    assert "2 of 10 boards not measured fully." in seen


def test_a_recorded_study_with_a_lost_board_is_shown_and_continued(rig: Rig) -> None:
    document = json.loads(RECORDED.read_text(encoding="utf-8"))
    rig.workspace.add_target(TargetSpec("gone", "ssh://nobody@127.0.0.1:1"))
    variant = rig.variant()
    options = {**document["options"], "models": [variant.id]}
    rig.registry.add_run("study", variant.id, options, document["result"], {})
    page = shown(rig, variant)
    assert states(page) == {"This computer": "equal", "gone": "lost", MEAN: "inconclusive"}
    assert "127.0.0.1 refuses connections on port 1." in visible_texts(page)
    boards(page).resume.click()
    [job] = rig.shell.jobs
    assert job.options["resume"] == document["result"]["study"]
    assert job.options["target"] == ["local", "gone"]
    assert job.options["model"] == [f"#{variant.id}"]
    assert job.options["seconds"] == 3.0
    assert "models" not in job.options


def test_a_cancelled_study_can_be_continued(rig: Rig) -> None:
    page = started(rig)
    rig.message(page, "study", name="20261201-1")
    rig.message(page, "board", row=to_json(StudyRow("cam-1", "measured")))
    rig.finish(page, JobOutcome(End.CANCELLED))
    assert states(page) == {"cam-1": "measured", "cam-2": "not measured"}
    boards(page).resume.click()
    assert rig.shell.jobs[-1].options["resume"] == "20261201-1"
    assert rig.shell.jobs[-1].options["target"] == ["cam-1", "cam-2"]


def test_a_failed_study_says_why(rig: Rig) -> None:
    page = started(rig)
    rig.finish(page, JobOutcome(End.FAILED, message="No board was measured."))
    assert "No board was measured." in visible_texts(page)
    assert page.primary.isEnabled()


def test_an_earlier_study_is_opened_from_the_list(rig: Rig) -> None:
    fleet(rig)
    variant = rig.variant()
    record(rig, simulated(), variant)
    newest = replace(simulated(1.0), study="20261202-1")
    record(rig, newest, variant)
    page = rig.page(ProfilePage, variant)
    assert [row[-1] for row in texts(boards(page).earlier.table)][1] == "faster"
    boards(page).earlier.table.selectRow(1)
    boards(page).earlier.show_button.click()
    assert states(page)["cam-1"] == "faster"


def test_another_model_has_none_of_its_studies(rig: Rig) -> None:
    fleet(rig)
    variant = rig.variant()
    record(rig, simulated(), variant)
    page = shown(rig, variant)
    assert boards(page).table.rowCount() == 11
    page.show_variant(None)
    assert boards(page).table.rowCount() == 0
    assert boards(page).earlier.table.rowCount() == 0


def test_the_table_is_copied_and_no_cell_is_a_formula(rig: Rig) -> None:
    page = started(rig)
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=simulated()))
    boards(page).export.copy()
    rows = list(csv.DictReader(QGuiApplication.clipboard().text().splitlines()))
    assert [row["verdict"] for row in rows[:8]] == ["faster"] * 8
    assert rows[8]["reason"] == "Cannot connect to cam-9: no route to host"
    assert rows[9]["board"] == "'=cam"
    assert rows[10]["board"] == MEAN
    assert float(rows[10]["ratio"]) == simulated().overall[0].ratio


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_the_study_is_written(rig: Rig, tmp_path: Path, suffix: str) -> None:
    page = started(rig)
    result = simulated()
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=result))
    path = tmp_path / f"study{suffix}"
    boards(page).export.write(path)
    text = path.read_text(encoding="utf-8")
    if suffix == ".json":
        assert from_json(StudyResult, json.loads(text)) == result
    else:
        assert text.count("\n") == 12
    assert rig.shell.said[-1] == f"Study saved to {path}."


def test_a_file_that_cannot_be_written_is_one_sentence(rig: Rig, tmp_path: Path) -> None:
    page = started(rig)
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=simulated()))
    boards(page).export.write(tmp_path / "missing" / "study.csv")
    [error] = rig.shell.failed
    assert str(error).startswith(str(tmp_path / "missing" / "study.csv"))


def test_the_views_have_an_export_each(rig: Rig) -> None:
    page = shown(rig, rig.variant())
    assert page.export.isHidden()
    assert not boards(page).export.isHidden()
    page.show_view(0)
    assert not page.export.isHidden()
    assert boards(page).export.isHidden()


def test_several_variants_have_a_line_each(rig: Rig) -> None:
    page = started(rig)
    row = simulated().boards[0]
    third = BoardFigure("c", 11.0, 10.9, 11.1)
    result = replace(simulated(), boards=(replace(row, figures=(*row.figures, third)),))
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=result))
    rows = texts(boards(page).table)
    assert [line[2] for line in rows[:2]] == ["b", "c"]
    assert not boards(page).table.isColumnHidden(2)
