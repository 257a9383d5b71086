"""The OCR pipeline clicked in the window: the same digests as the command line's."""

from __future__ import annotations

from pathlib import Path

from pytestqt.qtbot import QtBot

from tests.e2e.conftest import Studio
from tests.gui.conftest import MakeWindow
from tests.gui.conftest import dressed as dressed  # the application as the program makes it
from tests.gui.conftest import make_window as make_window  # a fixture of this test too
from tests.gui.run_rig import run_in_window

PATIENCE_S = 1800


def test_the_ocr_pipeline_in_the_window_gives_the_digests_of_the_command_line(
    make_window: MakeWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    studio = Studio(tmp_path / "command")
    folder = tmp_path / "ocr"
    studio.ok("samples", "get", "ocr", "--out", folder, timeout=900)
    pipeline = folder / "pipeline.toml"
    window = make_window()
    run = run_in_window(window, qtbot, pipeline, PATIENCE_S * 1000)
    try:
        report = studio.ok("run", pipeline, timeout=PATIENCE_S)
    finally:
        studio.run("undeploy", "--target", "local/sample-ocr", "--purge")
    assert len(run.artefacts) == 4
    assert report["artefacts"] == run.artefacts
    by_window = {action.source for action in window.workspace.registry.ledger.actions()}
    assert by_window == {f"recipe {run.id}"}
