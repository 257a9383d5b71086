"""The view that evaluates a variant on a target: what it asks for, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from studio.api import TargetSpec
from studio.documents.dataclass_json import from_json
from studio.evaluation.results import EvaluationResult
from studio.gui.pages.quantize import target_evaluation_view as target_check
from studio.gui.pages.quantize.page import TARGET, QuantizePage
from tests.gui.page_rig import Rig, opened, visible_texts


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


def answer(there: float = 0.986, **target: Any) -> dict[str, Any]:
    """What the step gives back."""
    found = {
        "name": "pi",
        "value": there,
        "drop": round(0.99 - there, 9),
        "runtime": "onnxruntime",
        "version": "1.16.3",
        "lost": [],
        "gained": [],
        "changed": [0, 0],
    }
    return {
        "model": "digits:fp32",
        "seconds": 1.0,
        "metric": {"name": "top1", "title": "Top-1 accuracy", "value": 0.99},
        "samples": 400,
        "backend": {"id": "onnxruntime", "version": "1.22.0"},
        "target": {**found, **target},
    }


def test_it_asks_for_the_current_variant_on_the_chosen_target(rig: Rig, tmp_path: Path) -> None:
    rig.workspace.add_target(TargetSpec("pi", "ssh://pi@board"))
    variant = rig.variant()
    page = rig.page(QuantizePage, variant)
    page.show_view(TARGET)
    assert "Not evaluated on a target yet" in visible_texts(page)
    page.target.form.set_values({"data": str(tmp_path), "target": "pi"})
    page.target.check.click()
    (job,) = rig.shell.jobs
    assert (job.step, job.options["model"], job.options["target"]) == (
        "evaluate", f"#{variant.id}", "pi",
    )  # fmt: skip
    assert not page.target.check.isEnabled()
    assert "running" in page.target.check.toolTip()


def test_what_was_found_before_is_shown_with_both_figures_and_the_samples(rig: Rig) -> None:
    variant = rig.variant()
    result = answer(0.776, lost=["7.png", "9.png"], gained=["3.png"], changed=[300, 1])
    rig.registry.add_run("evaluate", variant.id, {}, {**answer(), "target": None})
    rig.registry.add_run("evaluate", variant.id, {}, result)
    page = rig.page(QuantizePage, variant)
    page.show_view(TARGET)
    said = visible_texts(page)
    for text in ("worse on target", "0.9900", "0.7760", "onnxruntime 1.16.3", "onnxruntime 1.22.0"):
        assert text in said
    assert "Of 400 samples, pi has 300 worse and 1 better than this computer." in said
    table = page.target.table
    cells = [(table.item(y, 0).text(), table.item(y, 1).text()) for y in range(table.rowCount())]
    assert cells == [
        ("7.png", "worse"), ("9.png", "worse"), ("3.png", "better"), ("298 more", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("result", "word"),
    [
        (answer(0.99), "the same"),
        (answer(0.99, changed=[2, 2]), "other samples"),
        (answer(0.98, changed=[4, 0]), "worse on target"),
        (answer(0.995, changed=[0, 2]), "better on target"),
        ({**answer(), "target": None}, "this computer only"),
    ],
)
def test_the_word_for_it(result: dict[str, Any], word: str) -> None:
    found = from_json(EvaluationResult, result)
    assert target_check.verdict(found)[0] == word
    assert target_check.sentence(found).endswith(".")
    assert target_check.fields(found)
