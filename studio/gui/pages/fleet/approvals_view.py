"""The approvals inbox: plans that wait for a second person, with what they would do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QFileDialog, QLineEdit, QPlainTextEdit, QWidget

from studio.api import Kind, Option, StudioError
from studio.gui import figures
from studio.gui.forms.path_editor import PathEditor
from studio.gui.shell import Shell
from studio.gui.widgets.basics import GRID, Card, Hint, button, label, row, set_enabled
from studio.gui.widgets.list_or_hint import ListOrHint
from studio.gui.widgets.sortable import SortableRow, SortableTable
from studio.gui.widgets.tables import framed
from studio.gui.widgets.two_columns import TwoColumns
from studio.workspace.boards.approvals import APPROVED, TYPED, WAITING, Approvals, PlanEntry
from studio.workspace.events import RegistryChanged

if TYPE_CHECKING:
    from studio.workspace import Workspace

COLUMNS = ("Plan", "What", "State", "Made by", "Made")
_WIDTHS = (124, 0, 84, 132, 108)
_NARROW = 1000
_NAMED = 2
_KEY = Option("key", Kind.FILE, title="SSH key", help="Private key of an approver.")
_SIGNED = "Signed plans (*.signed);;All files (*)"
_EMPTY = (
    "No plans yet",
    "Plans that need an approval appear here.",
)


class ApprovalsView(QWidget):
    """The list at the left; at the right the chosen plan with its buttons."""

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__()
        self.approvals = Approvals(workspace.plans)
        self._workspace, self._shell = workspace, shell
        self._entries: dict[str, PlanEntry] = {}
        self._chosen = ""
        self.table = SortableTable(COLUMNS, (), _WIDTHS, "Plans, waiting ones first")
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setAccessibleName("Plan")
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.digits = QLineEdit()
        self.digits.setPlaceholderText(f"First {TYPED} digits of the plan")
        self.digits.setAccessibleName("First digits of the plan, to approve it")
        self.digits.setMaxLength(TYPED)
        self.key = PathEditor(_KEY)
        self.reason = label("", "dim", wrap=True)
        self.fault = label("", tone="bad", wrap=True)
        self.approve = button("Approve", self._approve, "primary")
        self.reject = button("Reject", self._reject, "danger")
        self.start = button("Carry out", self._start)
        self.export = button("Export…", self._export)
        self.export.setToolTip("Write the plan to a file, which an approver signs elsewhere")
        self.receive = button("Add signature…", self._receive)
        self.receive.setToolTip("Take the file that studio plan sign has written")
        self._lay_out()
        self.table.chosen.connect(lambda key: self._show(str(key)))
        self.digits.textChanged.connect(lambda _: self._explain())
        self.digits.returnPressed.connect(self._approve)
        self.key.changed.connect(self._explain)

    def _lay_out(self) -> None:
        side = Card("Plan")
        side.body.addWidget(self.text, 1)
        for part in (self.reason, self.key, self.fault):
            side.body.addWidget(part)
        side.body.addLayout(row(self.export, self.receive, None))
        line = row(self.digits, self.approve, self.reject, self.start)
        line.insertStretch(0)  # the buttons stay at the right without the field
        line.setStretch(1, 1)
        side.body.addLayout(line)
        listed = TwoColumns(framed(self.table), side, (1, 1), least=_NARROW)
        listed.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        self.stack = ListOrHint(self, listed, Hint(*_EMPTY))

    def refresh(self) -> None:
        """Read the plans again, in the background."""
        self._workspace.in_background(self.approvals.entries, self._read)

    def _read(self, found: Sequence[PlanEntry] | Exception) -> None:
        if isinstance(found, Exception):
            self._shell.fail(found)
            return
        self._entries = {one.digest: one for one in found}
        self.table.show_rows([_row(one) for one in found])
        self.stack.show_list(bool(found))
        if found:
            chosen = self._chosen if self._chosen in self._entries else found[0].digest
            self.table.select(chosen)
            self._show(chosen)

    def _show(self, digest: str) -> None:
        if digest != self._chosen:
            self.digits.clear()
            self.fault.setText("")
        self._chosen = digest
        text = self.approvals.text(self._entries[digest]) if digest in self._entries else ""
        if text != self.text.toPlainText():
            self.text.setPlainText(text)
        self._explain()

    def _explain(self) -> None:
        entry = self._entries.get(self._chosen)
        state = entry.state if entry else ""
        why = self.approvals.why_not(entry) if entry else "Select a plan."
        needs_key = self.approvals.needs_key and state == WAITING
        self.reason.setText(why if state == WAITING else "")
        self.reason.setVisible(bool(self.reason.text()))
        self.key.setVisible(needs_key)
        for part in (self.digits, self.approve):
            part.setVisible(state == WAITING)
        self.fault.setVisible(bool(self.fault.text()))
        if needs_key and not self.key.value():
            why = why or "Choose your SSH key."
        if len(self.digits.text()) < TYPED:
            why = why or f"Type the first {TYPED} digits of the plan."
        set_enabled(self.approve, why)
        is_open = state in (WAITING, APPROVED)
        set_enabled(self.reject, "" if is_open else why)
        is_own = entry is not None and not entry.is_foreign
        self.start.setVisible(state == APPROVED and is_own)
        for elsewhere in (self.export, self.receive):
            elsewhere.setVisible(state == WAITING and is_own)

    # What is done

    def _approve(self) -> None:
        digest, typed = self._chosen, self.digits.text()
        if not self.approve.isEnabled():
            return
        key = self.key.value() if self.approvals.needs_key else None
        path = Path(str(key)).expanduser() if key else None
        self._do(
            lambda: self.approvals.approve(digest, typed, path),
            lambda by: self._shell.notify(f"Plan {digest[:12]} approved by {by}.", "good"),
        )

    def _reject(self) -> None:
        digest = self._chosen
        self._do(
            lambda: self.approvals.reject(digest),
            lambda _: self._shell.notify(f"Plan {digest[:12]} rejected."),
        )

    def _export(self) -> None:
        digest, name = self._chosen, f"{self._chosen[:12]}.plan"
        path, _ = QFileDialog.getSaveFileName(self, "Export the plan", name, "Plans (*.plan)")
        if path:
            self._do(
                lambda: self.approvals.export(digest, Path(path)),
                lambda _: self._shell.notify(
                    f"Wrote {path}. Sign it with: studio plan sign", "good"
                ),
            )

    def _receive(self) -> None:
        digest = self._chosen
        path, _ = QFileDialog.getOpenFileName(self, "Signed approval", "", _SIGNED)
        if path:
            self._do(
                lambda: self.approvals.receive(digest, Path(path)),
                lambda by: self._shell.notify(f"Plan {digest[:12]} approved by {by}.", "good"),
            )

    def _start(self) -> None:
        digest = self._chosen
        self._do(
            lambda: self.approvals.start(digest),
            lambda _: self._shell.notify(f"Plan {digest[:12]} started. See Activity."),
        )

    def _do(self, call: Callable[[], object], done: Callable[[object], None]) -> None:
        """Do it in the background; what is refused is shown, and the list is read again."""

        def ended(found: object) -> None:
            if isinstance(found, StudioError):
                self.fault.setText(f"{found.message} {found.hint or ''}".strip())
            elif isinstance(found, Exception):
                self._shell.fail(found)
            else:
                self.fault.setText("")
                self.digits.clear()
                done(found)
                self._workspace.events.publish(RegistryChanged("plans"))  # the rail counts them
            self._explain()
            self.refresh()

        self._workspace.in_background(call, ended)


def _row(one: PlanEntry) -> SortableRow:
    plan = one.plan
    count = len(plan.targets)
    where = ", ".join(plan.targets) if count <= _NAMED else figures.count(count, "target")
    what = plan.lines[0].partition(":")[0] if plan.lines else plan.step
    texts = (
        one.digest[:12],
        f"{what}: {where}" if where else what,
        one.state,
        plan.author,
        figures.moment(plan.made),
    )
    return SortableRow(one.digest, texts, (*texts[:4], plan.made))
