"""Parts of the check for a chip without a worker: sentences, remedies, the installation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from studio.api import TargetSpec
from studio.conversion.chips.results import (
    ChipNumbers,
    ChipResult,
    NodeCounts,
    RefusedNode,
    SampleComparison,
    TargetNumbers,
)
from studio.gui.forms.editors import ChoiceEditor
from studio.gui.pages.model.chips.remedies import remedies_of
from studio.gui.pages.model.chips.texts import figure_fields, verdict_sentence
from studio.gui.pages.model.drawer import CHIPS
from studio.gui.pages.model.page import ModelPage
from studio.gui.pages.shared.question import Question
from studio.jobs.outcome import End
from studio.workspace import JobOutcome
from tests.gui.page_rig import Rig, opened

NUMBERS = ChipNumbers("ONNX Runtime 1.27", 1, 0.0126, 0.995)


def chips_page(rig: Rig) -> ModelPage:
    """The Model page with the tool, after its graph was looked for: the variant has none."""
    page = rig.page(ModelPage, rig.variant())
    for _ in range(500):
        if "no longer stored" in page._trouble.text.text():
            break
        QTest.qWait(20)
    page.drawer.open(CHIPS)
    page._graph.setCurrentWidget(page.drawer)
    return page


def result(verdict: str = "runs", **more: object) -> ChipResult:
    base = {"chip": "a", "title": "Chip A", "verdict": verdict, "how": "emulated"}
    return ChipResult(**base, toolchain="Tool 1.0", seconds=2.0, **more)  # type: ignore[arg-type]


@pytest.fixture
def rig(qtbot: QtBot, tmp_path: Path) -> Iterator[Rig]:
    with opened(tmp_path / "home", tmp_path) as made:
        yield made


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (result(nodes=NodeCounts(25, 25, 0)), "All 25 nodes run on Chip A."),
        (result(nodes=NodeCounts(1, 1, 0)), "The one node runs on Chip A."),
        (
            result("partly", nodes=NodeCounts(23, 19, 4)),
            "Chip A runs 19 of 23 nodes. The processor next to it runs 4.",
        ),
        (result("refused", reason="No MatMul."), "Chip A refuses the model. No MatMul."),
        (result("refused", nodes=NodeCounts(2, 0, 2)), "No node runs on Chip A."),
    ],
)
def test_a_verdict_is_a_sentence_with_its_basis(found: ChipResult, sentence: str) -> None:
    assert verdict_sentence(found) == f"{sentence} Emulated, not measured on the device."


def test_figures_are_those_that_there_are() -> None:
    assert figure_fields(result("refused")) == [("Compiler", "Tool 1.0, 2.0 s")]
    estimate = {"latency_ms": 0.5, "sram_bytes": 6144.0, "cycles": 9.0}
    found = result(
        nodes=NodeCounts(2, 2, 0), estimate=estimate, artefact="m", bytes=110_000, numbers=NUMBERS
    )
    fields = dict(figure_fields(found))
    assert fields["Nodes on chip"] == "2 of 2"
    assert fields["Estimate"] == "latency 0.500 ms, SRAM 6.1 kB (not measured)"
    assert fields["Compiled file"] == "110.0 kB"
    assert "1.3e-02 next to ONNX Runtime 1.27 on 1 sample, 99.5 %" in fields["Outputs"]


def test_a_target_has_its_figures_next_to_the_chip() -> None:
    sample = SampleComparison("s7", 0.01, 0.0, 0.02, (3, 3, 8))
    target = TargetNumbers("orin", "onnxruntime", "1.23", 40, 0.0, 0.02, 0.975, worst=(sample,))
    fields = dict(figure_fields(result(numbers=replace(NUMBERS, target=target))))
    assert fields["On orin"] == (
        "largest relative error 2.0e-02 next to the chip, 0.0e+00 next to this computer, "
        "on 40 samples"
    )
    assert fields["Largest difference"] == "s7, by 2.0e-02"
    equal = replace(target, chip_error=0.0)
    assert "Largest difference" not in dict(
        figure_fields(result(numbers=replace(NUMBERS, target=equal)))
    )


def test_only_targets_besides_this_computer_can_be_compared(rig: Rig) -> None:
    rig.registry.add_target(TargetSpec("orin", "ssh://root@orin"))
    view = chips_page(rig).drawer.chips.view
    editor = view.form.fields["target"].editor
    assert isinstance(editor, ChoiceEditor)
    assert [editor.combo.itemData(at) for at in range(editor.combo.count())] == [None, "orin"]
    assert view.form.fields["target"].option.advanced


def test_the_same_remedy_of_many_nodes_is_one_row() -> None:
    text = "Quantize it."
    refused = [RefusedNode(f"n{at}", "Gemm", "no", text, preset="fp16") for at in range(3)]
    refused += [RefusedNode("n3", "Add", "no"), RefusedNode("n4", "Mul", "no", keep_float=True)]
    found = remedies_of(result("partly", refused=tuple(refused), edits=("fold",)))
    assert [(one.text, one.action) for one in found] == [
        ("Edit that the compiler proposes: fold.", "Apply edit"),
        ("Quantize it. (3 nodes)", "Optimize…"),
        ("Keep n4 in float, and quantize again.", "Keep in float"),
    ]
    assert found[-1].keep == ("n4",)


def test_each_missing_environment_is_installed_then_the_check_is_possible(rig: Rig) -> None:
    page = chips_page(rig)
    view = page.drawer.chips.view
    view.combo.choose("ethos-u55-128")
    view.combo.chip_chosen.emit()
    assert view.install.isVisible()
    view.install.click()
    names = [(job.step, job.options) for job in rig.shell.jobs]
    assert names == [("environment-install", {"name": "studio_ethos_u"})]
    assert not view.install.isEnabled()
    rig.finish(page, JobOutcome(End.FAILED, message="No network."))
    assert view.install.isEnabled(), "it can be tried again"
    assert len(rig.shell.jobs) == 1
    assert view.check.toolTip() == "Install the compiler first."


def test_a_licence_is_accepted_before_a_toolchain_is_installed(rig: Rig) -> None:
    page = chips_page(rig)
    view = page.drawer.chips.view
    view.combo.choose("nvidia-t4")
    view.combo.chip_chosen.emit()
    view.install.click()
    (question,) = view.findChildren(Question)
    assert "NVIDIA's own licence" in question.informativeText()
    question.cancel.click()
    assert not rig.shell.jobs
    view.install.click()
    view.findChildren(Question)[-1].confirm.click()
    (job,) = rig.shell.jobs
    assert job.options == {"name": "studio_tensorrt", "accept_licence": True}


def test_a_check_that_cannot_start_leaves_the_view_as_it_was(rig: Rig) -> None:
    page = chips_page(rig)
    view = page.drawer.chips.view
    assert not view.check.isEnabled()
    view.run()
    assert not rig.shell.jobs
    rig.shell.refuses = True
    view.combo.choose("ethos-u55-128")
    view.combo.chip_chosen.emit()
    view.install.click()
    assert not view.strip.running
    assert view.install.isEnabled()
