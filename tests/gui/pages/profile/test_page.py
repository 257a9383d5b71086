"""The Profile page: rows as they come, verdicts with their intervals, and what they rest on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from studio.documents.dataclass_json import from_json
from studio.gui.pages.profile import rows as profile_rows
from studio.gui.pages.profile.page import ProfilePage
from studio.jobs import End
from studio.profiling.results import ProfileResult, ProfileRun
from studio.profiling.step import ExportResult
from studio.workspace import JobFinished, JobOutcome
from tests.gui.page_rig import METRIC, Rig, opened, texts, visible_texts


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


def run(name: str, p50: float | None, **values: Any) -> dict[str, Any]:
    return {
        "id": f"digits:{name}",
        "model": f"digits:{name}",
        "variant": name,
        "backend": "onnxruntime",
        "version": "1.32.0",
        "device": "cpu",
        "precision": name,
        "threads": 2,
        "state": "measured",
        "reason": "",
        "latency_ms": {"p50": p50, "p90": p50 and 1.1 * p50, "p99": None},
        "missing": {"p99": "needs 662 samples, has 80"},
        "distribution": [] if p50 is None else [p50 * (0.9 + i / 400) for i in range(101)],
        "max_error": 0.03,
        "relative_error": 0.004,
        **values,
    }


def verdict(name: str, word: str, ratio: float, low: float, high: float) -> dict[str, Any]:
    return {
        "a": "digits:fp32",
        "b": f"digits:{name}",
        "verdict": word,
        "ratio": ratio,
        "low": low,
        "high": high,
        "margin": 0.03,
        "confidence": 0.95,
        "rounds": 40,
        "rounds_needed": 210 if word == "undecided" else None,
    }


RESULT: dict[str, Any] = {
    "environment": {"cpu": "Cortex-A76", "cores": 4, "usable_cores": 2, "temperature_c": 51},
    "reference": "digits:fp32",
    "runs": [
        run("fp32", 18.9),
        run("int8", 12.1),
        run("fp16", 24.9),
        run("ncnn", None, state="cannot load", reason="LSTM is not supported."),
    ],
    "verdicts": [
        verdict("int8", "faster", 0.64, 0.63, 0.65),
        verdict("fp16", "undecided", 1.02, 0.97, 1.07),
    ],
    "twin": {"ratio": 0.998, "low": 0.991, "high": 1.006, "confidence": 0.95},
    "rounds": 43,
    "spoiled": 3,
    "spoiled_reasons": {"clock changed": 3},
    "target": "local",
}


def profiled(rig: Rig) -> None:
    rig.registry.add_run("profile", rig.registry.variants()[0].id, {}, RESULT)


def test_every_variant_is_ticked_also_one_that_comes_later(rig: Rig) -> None:
    first = rig.variant()
    page = rig.page(ProfilePage, first)
    page.run()
    assert rig.shell.jobs[-1].options["model"] == [f"#{first.id}"]
    second = rig.variant("int8", first)
    rig.finish(page, JobOutcome(End.CANCELLED))
    page.run()
    assert rig.shell.jobs[-1].options["model"] == [f"#{first.id}", f"#{second.id}"]


def test_unticked_variant_stays_unticked(rig: Rig) -> None:
    first = rig.variant()
    second = rig.variant("int8", first)
    page = rig.page(ProfilePage, first)
    page.form.set_values({"model": [f"#{second.id}"]})
    rig.variant("fp16", first)
    page.refresh()
    page.run()
    third = rig.registry.variants()[2]
    assert rig.shell.jobs[-1].options["model"] == [f"#{second.id}", f"#{third.id}"]


def test_nothing_ticked_is_said_in_the_form(rig: Rig) -> None:
    page = rig.page(ProfilePage, rig.variant())
    page.form.set_values({"model": []})
    page.run()
    assert rig.shell.jobs == []
    assert "Choose a value for Variants." in visible_texts(page)


def test_rows_appear_while_it_runs(rig: Rig, qtbot: QtBot) -> None:
    page = rig.page(ProfilePage, rig.variant())
    page.run()
    common = {
        "id": "digits:fp32",
        "model": "digits:fp32",
        "variant": "fp32",
        "backend": "onnxruntime",
        "runtime": "onnxruntime",
    }
    rig.message(page, "run", **common, state="ready", reason="")
    rig.message(page, "run", **common, state="measuring", latency_ms={"p50": 18.94})
    qtbot.wait_until(lambda: page.results.table.rowCount() == 1, timeout=5000)
    (row,) = texts(page.results.table)
    assert row[0] == "fp32"
    assert row[1] == "ONNX Runtime"
    assert row[4] == "18.9"
    assert row[-1] == "measuring"
    assert not page.outcome.verdict.pill.isVisible()


def test_result_is_shown_with_intervals_and_words(rig: Rig) -> None:
    variant = rig.variant()
    page = rig.page(ProfilePage, variant)
    page.run()
    profiled(rig)
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=RESULT))
    rows = texts(page.results.table)
    assert [row[-1] for row in rows] == ["baseline", "faster", "inconclusive", "cannot load"]
    assert rows[0][3:8] == ["fp32", "18.9", "20.8", "—", "1.00"]
    assert rows[1][4:8] == ["12.1", "13.3", "4e-3", "0.64 [0.63–0.65]"]
    assert rows[3][4:8] == ["—", "—", "4e-3", "—"]
    assert page.results.table.currentRow() == 1
    assert page.primary is not None
    assert page.primary.text() == "Profile again", "these variants are not registered"
    shown = visible_texts(page)
    sentence = "int8 is 1.56× faster than fp32 (95 % CI 1.54 to 1.59), 12.1 against 18.9 ms p50."
    assert sentence in shown
    assert "fp16 against fp32 is inconclusive." in shown
    assert "2 threads · single stream" in shown
    assert "A/A control 0.998 [0.991–1.006]" in shown
    assert "40 / 3 (clock changed)" not in shown
    page.results.view.set_index(2)
    shown = visible_texts(page)
    assert "40 / 3 (clock changed)" in shown
    assert "0.998 [0.991–1.006]" in shown
    assert "up to 51 °C" in shown
    assert "Cortex-A76, 2 of 4 cores" in shown


def test_selection_changes_the_conclusion(rig: Rig) -> None:
    variant = rig.variant()
    profiled(rig)
    page = rig.page(ProfilePage, variant)
    page.results.table.selectRow(2)
    sentence = (
        "fp16 against fp32 is inconclusive: time ratio 1.02 (95 % CI 0.97 to 1.07), "
        "24.9 against 18.9 ms p50."
    )
    assert page.outcome.verdict.sentence.text() == sentence
    page.results.table.selectRow(3)
    assert page.outcome.verdict.pill.text() == "cannot load"
    assert page.outcome.verdict.sentence.text() == "ncnn: cannot load."
    assert page.outcome.verdict.detail.text() == "LSTM is not supported."


def test_chart_of_accuracy_needs_a_metric(rig: Rig) -> None:
    variant = rig.variant()
    profiled(rig)
    page = rig.page(ProfilePage, variant)
    assert "Accuracy" not in visible_texts(page)
    rig.variant("int8", variant, metric=METRIC)
    page.refresh()
    assert "Accuracy" in visible_texts(page)
    page.results.view.set_index(1)
    assert page.results.tradeoff.isVisible()
    assert "Pareto front: int8, fp32." in page.results.tradeoff.accessibleDescription()


def test_numbers_stand_at_the_right(rig: Rig) -> None:
    from PySide6.QtCore import Qt

    variant = rig.variant()
    profiled(rig)
    page = rig.page(ProfilePage, variant)
    for column in range(page.results.table.columnCount()):
        right = bool(
            page.results.table.item(1, column).textAlignment() & Qt.AlignmentFlag.AlignRight
        )
        assert right is (column in profile_rows.NUMERIC)


def test_disturbed_rounds_that_were_kept_are_admitted() -> None:
    document = {**RESULT, "rounds": 40, "spoiled": 31, "spoiled_kept": True}
    result = from_json(ProfileResult, document)
    fields = {name: value for name, value, *_ in profile_rows.certainty(result)}
    expected = "40 / 0; 31 disturbed (clock changed), too many to drop"
    assert fields["Rounds kept / dropped"] == expected


def test_a_runtime_with_options_is_told_from_the_one_without(rig: Rig) -> None:
    names = profile_rows.Names({"openvino": "OpenVINO"}, "this computer")
    run = ProfileRun("a", backend="openvino", version="2026.4", runtime="openvino")
    assert names.runtime(run) == "OpenVINO 2026.4"
    with_options = replace(run, runtime="openvino:precision=f32")
    assert names.runtime(with_options) == "OpenVINO 2026.4 · precision=f32"
    page = rig.page(ProfilePage)
    option = next(o for o in rig.workspace.steps["profile"].form if o.name == "backend")
    offered = dict(page.choices(option) or ())
    assert offered["onnxruntime"] == "ONNX Runtime"
    assert offered["openvino"] == "OpenVINO (to be installed)"


def test_sizes_that_a_model_leaves_open_are_asked_for(rig: Rig) -> None:
    variant = rig.variant(inputs=[{"name": "x", "dtype": "float32", "shape": [None, 3, 48, None]}])
    page = rig.page(ProfilePage, variant)
    assert page.sizes.isVisible()
    editor = page.sizes.editors["x"]
    assert editor.text() == "1x3x48x224"
    editor.setText("1x3x32x320")
    page.run()
    assert rig.shell.jobs == [], "48 cannot be changed"
    assert "fixed sizes of the model cannot be changed" in visible_texts(page)
    editor.setText("1 × 3 × 48 × 320")
    page.run()
    assert rig.shell.jobs[-1].options["shapes"] == ["x=1x3x48x320"]


def test_an_open_batch_alone_is_not_asked_for(rig: Rig) -> None:
    page = rig.page(ProfilePage, rig.variant())
    assert not page.sizes.isVisible()
    page.run()
    assert not rig.shell.jobs[-1].options.get("shapes")


PLACEMENT = {
    "fallback": 0.73,
    "runs": [
        {
            "id": "digits:int8",
            "asked": "openvino",
            "providers": {"cpu": 0.73, "openvino": 0.27},
            "fallback": 0.73,
            "text": "digits:int8: openvino was asked for, but 73 % on cpu of the time.",
        }
    ],
}


def test_a_silent_fallback_is_red(rig: Rig) -> None:
    variant = rig.variant()
    rig.registry.add_run("profile", variant.id, {}, {**RESULT, "placement": PLACEMENT})
    page = rig.page(ProfilePage, variant)
    assert [row[-1] for row in texts(page.results.table)][:2] == ["baseline", "fallback"]
    assert page.outcome.verdict.pill.property("tone") == "bad"
    shown = visible_texts(page)
    assert "openvino was asked for, but 73 % on cpu of the time." in shown
    result = from_json(ProfileResult, {**RESULT, "placement": PLACEMENT})
    fields = profile_rows.certainty(result, "digits:int8")
    assert fields[0][0] == "Ran on"
    assert fields[0][2] == "bad"


def test_the_history_shows_one_and_compares_two(rig: Rig) -> None:
    variant = rig.variant()
    rounds = [18.9 + 0.01 * (number % 5) for number in range(40)]
    for factor in (1.0, 1.5):
        times = [factor * each for each in rounds]
        result = {**RESULT, "runs": [run("fp32", factor * 18.9, round_ms=times)], "verdicts": []}
        rig.registry.add_run("profile", variant.id, {}, result)
    page = rig.page(ProfilePage, variant)
    history = page.history
    page.show_view(1)
    assert not history.compare_button.isEnabled()
    assert "two" in history.compare_button.toolTip()
    history.table.selectAll()
    history.compare_button.click()
    (row,) = texts(history.compared)
    assert row[0] == "digits:fp32"
    assert row[-1] == "slower"
    assert row[3].startswith("1.50")
    history.table.clearSelection()
    history.table.selectRow(1)
    history.show_button.click()
    assert page.stack.currentIndex() == 0
    assert texts(page.results.table)[0][4] == "18.9"


def test_a_point_is_chosen_and_deployed(rig: Rig) -> None:
    variant = rig.variant()
    int8 = rig.variant("int8", variant, metric=METRIC)
    runs = [run("fp32", 18.9, variant_id=variant.id), run("int8", 12.1, variant_id=int8.id)]
    rig.registry.add_run("profile", variant.id, {}, {**RESULT, "runs": runs})
    page = rig.page(ProfilePage, variant)
    page.results.tradeoff.picked.emit(1)
    assert page.primary is not None
    assert page.primary.text() == "Deploy int8"
    page.primary.click()
    assert rig.shell.selected == [int8.id]
    assert rig.shell.went == ["deploy"]


def test_a_shown_profile_can_be_written(rig: Rig, tmp_path: Path) -> None:
    page = rig.page(ProfilePage, rig.variant())
    assert not page.export.isEnabled()
    profiled(rig)
    page.refresh()
    assert page.export.isEnabled()
    page.export.write(tmp_path / "report.html")
    job = rig.shell.jobs[-1]
    assert job.step == "profile-export"
    assert Path(job.options["profile"]).is_file()
    job.outcome = JobOutcome(End.SUCCEEDED, result=ExportResult("report.html", 9))
    page.on_event(JobFinished(job))
    assert not Path(job.options["profile"]).exists()
    assert rig.shell.said[-1] == "Profile exported to report.html."
