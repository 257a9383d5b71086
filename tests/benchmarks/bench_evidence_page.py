"""The Responsible AI page with 50 models of 20 groups: time to the full table, longest turn.

Prints one JSON document. The peer is the same page with one model, measured in the same run; the
Evidence page of one of the models is opened as well.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from studio.documents.dataclass_json import to_json
from studio.features.evidence.pages.evidence.page import EvidencePage
from studio.features.evidence.pages.responsible.page import ResponsiblePage
from studio.gui.bridge import Bridge
from studio.gui.current_project import CurrentProject
from studio.gui.pages.shared.base import Page
from studio.gui.theme import Theming
from studio.workspace import Workspace
from tests.rigs.evidence_results import groups_result, record

LIMIT_MS = 200.0
_PATIENCE_S = 30.0


class QuietShell:
    """The part of the window that the pages need."""

    def __init__(self, theming: Theming) -> None:
        self.theming = theming
        self.project = CurrentProject()

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_given, **_named: None


def fill(workspace: Workspace, folder: Path, models: int, groups: int) -> None:
    """Add models, each with a variant, groups and robustness."""
    registry = workspace.registry
    for number in range(models):
        path = folder / f"model-{number}.onnx"
        path.write_bytes(f"model {number}".encode() * 100)
        variant = registry.add_variant(
            registry.add_model(f"model-{number:02}"),
            "fp32",
            registry.adopt(path),
            format="onnx",
            precision="fp32",
            options={},
            summary={},
            graph=None,
        )
        record(registry, variant, folder, groups_result(groups, 0.85))
        registry.add_run("evaluate", variant.id, {}, to_json(groups_result(2)))


class Opening:
    """One opening of a page, from its creation to its content, as the window makes it."""

    def __init__(self, app: QApplication) -> None:
        self._app = app
        self.longest_ms = 0.0
        self._beat = time.perf_counter()

    def seconds(self, make: Callable[[], Page], is_full: Callable[[Any], bool]) -> float:
        """Open a page and return the seconds until its content is painted."""
        timer = QTimer(interval=1)
        timer.timeout.connect(self._turn)
        timer.start()
        begin = self._beat = time.perf_counter()
        page = make()
        until = begin + _PATIENCE_S
        while not is_full(page) and time.perf_counter() < until:
            self._app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 5)
        page.grab()
        took = time.perf_counter() - begin
        timer.stop()
        page.close()
        page.deleteLater()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        return took

    def _turn(self) -> None:
        now = time.perf_counter()
        self.longest_ms = max(self.longest_ms, 1e3 * (now - self._beat))
        self._beat = now


def measured(
    app: QApplication, folder: Path, models: int, groups: int, rounds: int
) -> dict[str, Any]:
    """Open both pages of a workspace several times; the first round imports and is left out."""
    home = folder / f"home-{models}"
    with Workspace.open(home) as workspace:
        bridge = Bridge()
        workspace.events.deliver = bridge.deliver
        fill(workspace, folder, models, groups)
        shell: Any = QuietShell(Theming("light"))
        variant = workspace.registry.variants()[0]
        table, evidence, turns = [], [], []
        for number in range(rounds + 1):
            gc.collect()
            opening = Opening(app)
            one = opening.seconds(
                lambda: _shown(ResponsiblePage(workspace, shell)),
                lambda page: len(page.table.content.rows) == models,
            )
            other = opening.seconds(
                lambda: _shown(EvidencePage(workspace, shell), variant),
                lambda page: page.survey is not None and bool(page.groups.chart.spots),
            )
            if number:
                table.append(one)
                evidence.append(other)
                turns.append(opening.longest_ms)
        bridge.close()
    return {
        "models": models,
        "groups": groups,
        "table_ms": round(1e3 * statistics.median(table), 1),
        "evidence_ms": round(1e3 * statistics.median(evidence), 1),
        "longest_turn_ms": round(max(turns), 1),
    }


def _shown(page: Page, variant: Any = None) -> Page:
    page.complete()
    page.resize(1196, 676)
    for part in page.parts():
        page.shell.theming.dress(part)
    page.show()
    page.show_variant(variant)
    return page


def main() -> int:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", type=int, default=50)
    parser.add_argument("--groups", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication(sys.argv[:1])
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        many = measured(app, Path(name), given.models, given.groups, given.rounds)
        one = measured(app, Path(name), 1, given.groups, given.rounds)
    document = {
        "many": many,
        "one": one,
        "table_ratio": round(many["table_ms"] / one["table_ms"], 2),
        "within_limit": many["table_ms"] <= LIMIT_MS,
        "limit_ms": LIMIT_MS,
        "load": os.getloadavg()[0],
    }
    print(json.dumps(document, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
