"""The view of all boards: how each is, what it has room for, and what it serves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QVBoxLayout, QWidget

from studio.api import TargetSpec
from studio.deployment.results import BoardCondition, StatusResult, TargetStatus, TrustResult
from studio.documents.dataclass_json import JsonValue, from_json, read_parts
from studio.gui import figures
from studio.gui.pages.deploy import signers_menu
from studio.gui.pages.deploy.signers_card import SignersCard
from studio.gui.pages.shared import target_rows
from studio.gui.pages.shared.base import pipeline_button
from studio.gui.pages.shared.stage_page import JobStrip, StateRow, StateRows
from studio.gui.shell import Shell
from studio.gui.widgets.basics import Card, Pill, Scroll, button, label, row, set_enabled
from studio.gui.widgets.tables import Table

if TYPE_CHECKING:
    from studio.workspace import JobOutcome, Workspace

STEP = "target-look"
COLUMNS = ("Board", "Kind", "State", "Release", "Since", "Free disk", "Temperature")
NUMERIC = (5, 6)
MOST_COMPLAINTS = 20
EVERY_MS = 60_000
ALL = "All targets"
HINT = (
    "Refresh reads the status of every board and changes nothing. Values are from the last refresh."
)
TONES = {"serving": "good", "no answer": "bad", "stopped": "bad"}
SHOWN = {"": "not checked", "no answer": "unreachable", "nothing deployed": "no release"}
"""States as they are shown, where that is not the stored word."""
HOT = 80.0
"""Degrees from which most boards lower their clock."""
FULL = 0.05
"""Share of the disk that is free; less is told."""


class BoardsView(QWidget):
    """A line for each board, and a look at all of them now or every minute.

    Args:
        choose: Called with a target's name, to act on it.
    """

    def __init__(self, workspace: Workspace, shell: Shell, choose: Callable[[str], object]) -> None:
        super().__init__()
        self.workspace = workspace
        self.shell = shell
        self._choose = choose
        self._targets: list[TargetSpec] = []
        self._seen: dict[str, TargetStatus] = {}
        self._at = ""
        self._doing = ""
        self.strip = JobStrip()
        self.table = Table(COLUMNS, NUMERIC, stretch=1, name="Boards")
        self.group = QComboBox()
        self.group.setAccessibleName("Group of boards")
        self.look_button = button("Refresh", self.poll)
        self.add_button = button("Add target", lambda: shell.go("targets"))
        self.open_button = button("Open", self._open)
        self.open_button.setToolTip("Show history and log of the board, deploy to it or roll back.")
        self.signers = SignersCard(self.trust)
        self.often = QCheckBox("every minute")
        self.note = label(HINT, "dim", wrap=True)
        self._timer = QTimer(self)
        self._timer.setInterval(EVERY_MS)
        self._timer.timeout.connect(self.poll)
        self._layout()
        self.often.toggled.connect(self._set_polling)
        self.group.currentIndexChanged.connect(lambda _: self._show())
        self.strip.message.connect(self._live)
        self.strip.finished.connect(self._finished)
        self.table.itemSelectionChanged.connect(self._explain)
        self.table.cellDoubleClicked.connect(lambda _y, _x: self._open())

    def _layout(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        scroll = Scroll()
        outer.addWidget(scroll)
        layout = scroll.body
        layout.addLayout(
            row(
                *(self.group, self.look_button, self.often, None),
                pipeline_button(self.workspace, self.shell, (signers_menu.STEP, STEP)),
                *(self.add_button, self.open_button),
            )
        )
        listed = Card()
        listed.body.setContentsMargins(4, 4, 4, 4)
        listed.body.addWidget(self.table)
        self._complaints = Card("Warnings")
        self.complaints = StateRows("Warnings")
        self._complaints.body.addWidget(self.complaints)
        for part in (self.strip, listed, self.note, self._complaints, self.signers):
            layout.addWidget(part)
        layout.addStretch(1)

    def refresh(self) -> None:
        """Read the registry again."""
        registry = self.workspace.registry
        self._targets = registry.targets()
        groups = registry.groups.all()
        chosen = self.group.currentData()
        self.group.blockSignals(True)
        self.group.clear()
        self.group.addItem(ALL, None)
        for name, members in groups.items():
            self.group.addItem(f"{name} · {figures.count(len(members), 'target')}", members)
        self.group.setCurrentIndex(max(0, self.group.findData(chosen)))
        self.group.setVisible(bool(groups))
        self.group.blockSignals(False)
        if not self.strip.running:
            self._load_last_status()
        self._show()

    def _load_last_status(self) -> None:
        """Load the last stored status of each target from the registry."""
        for run in reversed(self.workspace.results.of(STEP, StatusResult, most=20)):
            self._at = run.created
            self._seen |= {one.target: one for one in run.result.targets}

    def poll(self) -> None:
        """Poll the boards that are shown."""
        names = [target.name for target in self._shown()]
        if names and not self.strip.running:
            self._poll_targets(names)

    def _poll_targets(self, names: list[str]) -> None:
        self._doing = "Checking…"
        self.strip.follow(self.shell.start(STEP, target=names))
        self._explain()

    def _shown(self) -> list[TargetSpec]:
        members = self.group.currentData()
        return [one for one in self._targets if members is None or one.name in members]

    def _live(self, name: str, values: dict[str, JsonValue]) -> None:
        if name == "looked":
            status = from_json(TargetStatus, values.get("target"))
            self._seen[status.target] = status
            self._show()

    def _finished(self, outcome: JobOutcome) -> None:
        result = outcome.result if outcome.ok else None
        if isinstance(result, TrustResult):
            self.shell.notify(signers_menu.sentence(result), "good")
            self._poll_targets([result.target])  # its list of signers is another now
        elif isinstance(result, StatusResult):
            self._load_last_status()
            silent = [one for one in result.targets if one.state == "no answer"]
            if silent:
                names = ", ".join(target_rows.spoken(one.target) for one in silent[:3])
                more = f", {len(silent) - 3} more" if len(silent) > 3 else ""
                self.shell.notify(f"No answer from {names}{more}.", "warning")
        self._show()

    def _show(self) -> None:
        chosen = self._selected()
        shown = self._shown()
        self.table.blockSignals(True)
        self.table.show_rows([self._cells(target) for target in shown])
        self.table.blockSignals(False)
        self.table.fit_height(16)
        names = [target.name for target in shown]
        if chosen in names:
            self.table.selectRow(names.index(chosen))
        states = [seen.state for name in names if (seen := self._seen.get(name))]
        serving = f"{states.count('serving')} of {figures.count(len(names), 'target')} serving"
        looked = f"{serving}, checked {figures.moment(self._at)}." if self._at else ""
        self.note.setText(f"{looked} {HINT}".strip())
        told = [one for target in shown for one in self._complaint_rows(target)]
        self.complaints.show_rows(told[:MOST_COMPLAINTS])
        self._complaints.setVisible(bool(told))
        self._explain()

    def _complaint_rows(self, target: TargetSpec) -> list[StateRow]:
        """Return the problems of a board, a row each."""
        seen, facts = self._known(target)
        name = target_rows.title(target)
        rows = [
            StateRow("warning", "warning", name, text[:1].upper() + text[1:] + ".")
            for text in _complaints(read_parts(BoardCondition, facts))
        ]
        if seen and seen.text:
            word = "unreachable" if seen.state == "no answer" else "stopped"
            rows.insert(0, StateRow(word, "bad", name, seen.text))
        return rows

    def _known(self, target: TargetSpec) -> tuple[TargetStatus | None, dict[str, JsonValue]]:
        """Return its last status, and its facts."""
        seen = self._seen.get(target.name)
        facts = self.workspace.registry.facts(target.name)
        return seen, {**facts, **(seen.facts if seen else {})}

    def _cells(self, target: TargetSpec) -> list[str | QWidget]:
        seen, facts = self._known(target)
        condition = read_parts(BoardCondition, facts)
        heat, state = condition.temperature_c, seen.state if seen else ""
        serves = seen is not None and bool(seen.version)
        tone = TONES.get(state, "")
        return [
            target_rows.title(target),
            target_rows.kind(target, target_rows.facts_of(facts)).removeprefix("board · "),
            Pill(
                SHOWN.get(state, state),
                "warning" if tone == "good" and _complaints(condition) else tone,
            ),
            f"v{seen.version} {seen.name or ''}".strip() if seen and serves else figures.NOTHING,
            figures.moment(seen.at) if seen and serves else figures.NOTHING,
            figures.megabytes(condition.disk_free_mb or None),
            figures.NOTHING if heat is None else f"{heat:.0f} °C",
        ]

    def _selected(self) -> str:
        shown, y = self._shown(), self.table.currentRow()
        return shown[y].name if 0 <= y < len(shown) else ""

    def _open(self) -> None:
        if self._selected():
            self._choose(self._selected())

    def trust(self, **options: str) -> None:
        """Set the allowed signers of a board."""
        if not self.strip.running:
            self._doing = "Changing the allowed signers…"
            self.strip.follow(self.shell.start(signers_menu.STEP, **options))
            self._explain()

    def _set_polling(self, often: bool) -> None:
        if often:
            self.poll()
        self._watch()

    def _watch(self) -> None:
        """Poll in the background only while the view is visible."""
        if self.often.isChecked() and self.isVisible():
            self._timer.start()
        else:
            self._timer.stop()

    def showEvent(self, event: QShowEvent) -> None:
        """Resume the polling."""
        super().showEvent(event)
        self._watch()

    def hideEvent(self, event: QHideEvent) -> None:
        """Rest."""
        super().hideEvent(event)
        self._watch()

    def _explain(self) -> None:
        busy = self._doing if self.strip.running else ""
        set_enabled(self.look_button, busy)
        chosen = self._selected()
        first = "" if chosen else "Select a board first."
        set_enabled(self.open_button, first)
        self.signers.show_board(chosen, self._seen.get(chosen), busy)
        self.open_button.setText(f"Open {target_rows.spoken(chosen)}" if chosen else "Open")


def _complaints(condition: BoardCondition) -> list[str]:
    """Return the conditions that need attention."""
    complaints, heat = list(condition.notes), condition.temperature_c
    if heat is not None and heat >= HOT:
        complaints.append(f"temperature is {heat:.0f} °C; most boards throttle from {HOT:.0f} °C")
    free, total = condition.disk_free_mb or 0, condition.disk_total_mb or 0
    if total and free < FULL * total:
        complaints.append(f"only {figures.megabytes(free)} of disk space is free")
    return complaints
