"""The Optimize page: from a form to a variant that is shown with what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.gui.pages.quantize.page import LINEAGE, QuantizePage
from studio.gui.window.topbar import chip_detail
from studio.jobs import End
from studio.workspace import JobOutcome
from tests.gui.page_rig import METRIC, Rig, opened, texts, visible_texts


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


def quantized(rig: Rig) -> None:
    """What the step's record leaves behind."""
    parent = rig.registry.variants()[0]
    made = rig.variant(
        "int8",
        parent,
        size_ratio=0.3,
        sqnr_db=37.13,
        latency_ratio=0.82,
        metric=METRIC,
        peak_memory_mb=93.7,
        seconds=0.68,
        facts={"quantized": 3, "kept": {"head": "asked for"}},
        preset_text='title = "int8, calibrated"\nmethod = "static-int8"\n',
    )
    options = {"data": "/data/calibration.npz", "samples": 128, "max_drop": 0.01}
    rig.registry.add_run("quantize", made.id, options, {})


def test_without_a_model_it_says_what_to_do(rig: Rig) -> None:
    page = rig.page(QuantizePage)
    assert "No model to optimize yet" in visible_texts(page)
    assert page.primary is not None
    assert not page.primary.isEnabled()
    assert page.primary.toolTip() == "Open a model first."


def test_click_starts_the_step_with_the_current_variant(rig: Rig, tmp_path: Path) -> None:
    variant = rig.variant()
    page = rig.page(QuantizePage, variant)
    page.form.set_values({"data": str(tmp_path), "max_drop": 0.01})
    assert page.primary is not None
    page.primary.click()
    (job,) = rig.shell.jobs
    assert job.step == "quantize"
    assert job.options["model"] == f"#{variant.id}"
    assert job.options["data"] == str(tmp_path)
    assert job.options["max_drop"] == 0.01
    assert job.options["preset"] == "int8"
    assert not page.primary.isEnabled()


def test_wrong_path_is_said_in_the_form_and_nothing_starts(rig: Rig, tmp_path: Path) -> None:
    page = rig.page(QuantizePage, rig.variant())
    page.form.set_values({"data": str(tmp_path / "absent")})
    page.run()
    assert rig.shell.jobs == []
    assert "does not exist" in visible_texts(page)


def test_progress_and_cancel(rig: Rig, tmp_path: Path) -> None:
    page = rig.page(QuantizePage, rig.variant())
    page.form.set_values({"data": str(tmp_path)})
    page.run()
    rig.progress(page, 1, 4, "Comparing the outputs")
    assert page.strip.isVisible()
    assert page.strip.text.full_text() == "Comparing the outputs"
    assert page.strip.bar.value() / page.strip.bar.maximum() == 0.25
    page.strip.cancel.click()
    assert rig.shell.jobs[0].cancelled
    rig.finish(page, JobOutcome(End.CANCELLED))
    assert not page.strip.isVisible()
    assert page.primary is not None
    assert page.primary.isEnabled()


def test_new_variant_is_shown_selected_with_its_figures(rig: Rig, tmp_path: Path) -> None:
    page = rig.page(QuantizePage, rig.variant())
    page.form.set_values({"data": str(tmp_path)})
    page.run()
    quantized(rig)
    rig.finish(page, JobOutcome(End.SUCCEEDED))
    rows = texts(page.variants.table)
    assert [row[0] for row in rows] == ["fp32 (current)", "int8"]
    assert rows[0][-1] == "baseline"
    assert rows[1][2:] == ["0.30", "97.6 % (−0.5 pt)", "0.82", "within budget"]
    assert page.variants.table.horizontalHeaderItem(3).text() == "Top-1 accuracy"
    assert page.variants.table.currentRow() == 1
    shown = visible_texts(page)
    assert "within budget" in shown
    assert "0.30 of the size, 0.5 pt drop in Top-1 accuracy; budget 1.0 pt." in shown
    page.show_view(LINEAGE)
    shown = visible_texts(page.lineage)
    assert "calibration.npz, up to 128 samples" in shown
    assert "int8, calibrated" in shown
    assert "37.1 dB" in shown
    assert "head" in shown


def test_the_original_shows_what_the_evaluation_of_its_variants_has_measured(rig: Rig) -> None:
    original = rig.variant()
    quantized(rig)
    later = {**METRIC, "before": 0.975, "samples": 40}
    options = {"data": "/data/calibration.npz", "eval_data": "/data/late.npz", "samples": 9}
    for name in ("fp16", "bf16"):
        made = rig.variant(name, original, metric=later)
        rig.registry.add_run("quantize", made.id, options, {})
    page = rig.page(QuantizePage, original)
    page.show_view(LINEAGE)
    view = page.variants
    rows = {cells[0]: cells for cells in texts(view.table)}
    assert rows["fp32 (current)"][3] == "97.5 %", "of the last evaluation"
    assert rows["int8"][3] == "97.6 % (−0.5 pt)"
    view.select(original.id)
    facts = visible_texts(page.lineage.fields)
    assert facts.count("Top-1 accuracy") == 2, "each once"
    assert facts.index("97.5 % on late.npz, 40 samples") < facts.index(
        "98.1 % on calibration.npz, 450 samples"
    )
    view.select(made.id)
    assert "late.npz, 40 samples" in visible_texts(page.lineage.fields)


def test_a_chip_says_the_change_of_the_metric(rig: Rig) -> None:
    original = rig.variant()
    assert "pt" not in chip_detail(original)
    assert chip_detail(rig.variant("int8", original, metric=METRIC)).endswith(" · −0.5 pt")


def test_an_original_that_nothing_was_measured_of_shows_no_metric(rig: Rig) -> None:
    original = rig.variant()
    made = rig.variant("int8", original, size_ratio=0.3)
    page = rig.page(QuantizePage, original)
    assert [cells[3] for cells in texts(page.variants.table)] == ["—", "—"]
    assert made.parent == original.id


def test_variant_can_be_made_the_current_one(rig: Rig) -> None:
    current = rig.variant()
    quantized(rig)
    page = rig.page(QuantizePage, current)
    assert not page.lineage.use.isEnabled()
    assert page.lineage.use.toolTip() == "This variant is already current."
    page.variants.table.selectRow(1)
    page.lineage.use.click()
    assert rig.shell.selected == [rig.registry.variants()[1].id]


def test_refusal_of_the_shell_leaves_the_page_ready(rig: Rig, tmp_path: Path) -> None:
    page = rig.page(QuantizePage, rig.variant())
    page.form.set_values({"data": str(tmp_path)})
    rig.shell.refuses = True
    page.run()
    assert not page.strip.isVisible()
    assert page.primary is not None
    assert page.primary.isEnabled()


def test_hidden_page_reads_the_registry_when_it_is_shown(rig: Rig, tmp_path: Path) -> None:
    page = rig.page(QuantizePage, rig.variant())
    page.form.set_values({"data": str(tmp_path)})
    page.hide()
    page.run()
    quantized(rig)
    rig.finish(page, JobOutcome(End.SUCCEEDED))
    assert page.variants.table.rowCount() == 1
    page.show()
    assert page.variants.table.rowCount() == 2
    assert page.variants.table.currentRow() == 1
