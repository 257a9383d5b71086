"""The Profile page: rows as they come, verdicts with their intervals, and what they rest on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from studio.gui.pages import profile_rows
from studio.gui.pages.profile import ProfilePage
from studio.jobs import End
from studio.workspace import JobOutcome
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
        "max_error": 0.004,
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
    "twin": {"ratio": 0.998, "low": 0.991, "high": 1.006},
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
    assert "Variants is required." in visible_texts(page)


def test_rows_appear_while_it_runs(rig: Rig, qtbot: QtBot) -> None:
    page = rig.page(ProfilePage, rig.variant())
    page.run()
    common = {"id": "digits:fp32", "model": "digits:fp32", "variant": "fp32"}
    rig.message(page, "run", **common, backend="onnxruntime", state="ready", reason="")
    rig.message(page, "run", **common, state="measuring", latency_ms={"p50": 18.94})
    qtbot.wait_until(lambda: page.table.rowCount() == 1, timeout=5000)
    (row,) = texts(page.table)
    assert row[0] == "fp32"
    assert row[1] == "ONNX Runtime"
    assert row[4] == "18.9"
    assert row[-1] == "measuring"
    assert not page.verdict.isVisible()


def test_result_is_shown_with_intervals_and_words(rig: Rig) -> None:
    variant = rig.variant()
    page = rig.page(ProfilePage, variant)
    page.run()
    profiled(rig)
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=RESULT))
    rows = texts(page.table)
    assert [row[-1] for row in rows] == ["baseline", "faster", "undecided", "cannot load"]
    assert rows[0][3:8] == ["fp32", "18.9", "20.8", "—", "1.00"]
    assert rows[1][4:8] == ["12.1", "13.3", "4e-3", "0.64 [0.63–0.65]"]
    assert rows[3][4:8] == ["—", "—", "4e-3", "—"]
    assert page.table.currentRow() == 1
    assert page.primary is not None
    assert page.primary.text() == "Run again"
    shown = visible_texts(page)
    assert "int8 is faster than fp32 by 36 %, sure beyond the margin of 3 %." in shown
    assert "40 / 3 (clock changed)" in shown
    assert "0.998 [0.991–1.006]" in shown
    assert "up to 51 °C" in shown
    assert "Cortex-A76, 2 of 4 cores" in shown
    assert "4 variants × 1 runtime × 1 device" in shown


def test_selection_changes_the_conclusion(rig: Rig) -> None:
    variant = rig.variant()
    profiled(rig)
    page = rig.page(ProfilePage, variant)
    page.table.selectRow(2)
    assert page.sentence.text() == "fp16 against fp32 is undecided; about 210 rounds would decide."
    page.table.selectRow(3)
    assert page.verdict.text() == "cannot load"
    assert page.sentence.text() == "LSTM is not supported."


def test_chart_of_accuracy_needs_a_metric(rig: Rig) -> None:
    variant = rig.variant()
    profiled(rig)
    page = rig.page(ProfilePage, variant)
    assert not page.tradeoff.isVisible()
    rig.variant("int8", variant, metric=METRIC)
    page.refresh()
    assert page.tradeoff.isVisible()
    assert "Worth choosing: int8, fp32." in page.tradeoff.accessibleDescription()


def test_numbers_stand_at_the_right(rig: Rig) -> None:
    from PySide6.QtCore import Qt

    variant = rig.variant()
    profiled(rig)
    page = rig.page(ProfilePage, variant)
    for column in range(page.table.columnCount()):
        right = bool(page.table.item(1, column).textAlignment() & Qt.AlignmentFlag.AlignRight)
        assert right is (column in profile_rows.NUMERIC)


def test_disturbed_rounds_that_were_kept_are_admitted() -> None:
    result = {**RESULT, "rounds": 40, "spoiled": 31, "spoiled_kept": True}
    fields = {name: value for name, value, *_ in profile_rows.certainty(result)}
    expected = "40 / 0; 31 were disturbed (clock changed), too many to drop"
    assert fields["Rounds kept / dropped"] == expected


def test_a_runtime_with_options_is_told_from_the_one_without(rig: Rig) -> None:
    names = profile_rows.Names({"openvino": "OpenVINO"}, "this computer")
    run = {"backend": "openvino", "version": "2026.4", "runtime": "openvino"}
    assert names.runtime(run) == "OpenVINO 2026.4"
    with_options = {**run, "runtime": "openvino:precision=f32"}
    assert names.runtime(with_options) == "OpenVINO 2026.4 · precision=f32"
    page = rig.page(ProfilePage)
    option = next(o for o in rig.workspace.steps["profile"].options if o.name == "backend")
    offered = dict(page.choices(option) or ())
    assert offered["onnxruntime"] == "ONNX Runtime"
    assert offered["openvino"] == "OpenVINO (to be installed)"
