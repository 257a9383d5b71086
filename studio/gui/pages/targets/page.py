"""The Targets page: where models can run, what is known of each place, and adding another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.api import Kind, Option, StudioError, TargetSpec
from studio.api.discovery import Candidate
from studio.gui import figures
from studio.gui.forms.form import Form
from studio.gui.pages.shared import target_rows as rows
from studio.gui.pages.shared.host_key_panel import HostKeyPanel
from studio.gui.pages.shared.stage_page import StagePage
from studio.gui.pages.targets.target_discovery import DiscoveryCard
from studio.gui.shell import Shell
from studio.gui.widgets.basics import (
    GRID,
    Card,
    FieldList,
    Pill,
    Scroll,
    button,
    label,
    line,
    row,
    set_enabled,
)
from studio.gui.widgets.tables import Table
from studio.gui.widgets.two_columns import TwoColumns

if TYPE_CHECKING:
    from studio.workspace import JobOutcome, Workspace

PROBE = "target-probe"
FORM_WIDTH = 40 * GRID
_TWO_COLUMNS = 1000
"""Pixels of the page from which all columns of the table fit next to the form."""

COLUMNS = ("Target", "Address", "Kind", "Memory", "Free disk", "State")
OPTIONS = (
    Option(
        "name",
        Kind.TEXT,
        title="Name",
        help="Display name of the target.",
        required=True,
        placeholder="jetson-07",
    ),
    Option(
        "url",
        Kind.TEXT,
        title="Address",
        help="ssh://user@host or ssh://user@host:port.",
        required=True,
        placeholder="ssh://user@host",
    ),
    Option(
        "key_file",
        Kind.FILE,
        title="Key file",
        help="Private key. Default: ~/.ssh/config, then the keys of your SSH agent.",
    ),
    Option(
        "jump",
        Kind.TEXT,
        title="Jump hosts",
        help="user@host:port, separated by commas. Default: from ~/.ssh/config.",
        advanced=True,
        placeholder="from ~/.ssh/config",
    ),
)
SETTINGS = ("key_file", "jump")


class TargetsPage(StagePage):
    """The page that lists, probes, adds and removes targets."""

    stage = "targets"
    title = "Targets"
    icon = "targets"
    repeats = (PROBE, "target-find")

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__(workspace, shell)
        self._targets: list[TargetSpec] = []
        self._probed: TargetSpec | None = None
        self._states: dict[str, tuple[str, str]] = {}
        self._failures: dict[str, str] = {}
        self.contact = HostKeyPanel(workspace)
        self.table = Table(COLUMNS, (3, 4), stretch=(1, 2), name="Targets")
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # addresses differ at their ends
        self.form = Form(OPTIONS)
        self.fields = FieldList()
        self.hint = label("", "dim", wrap=True)
        self.probe_button = button("Probe", self._probe_selected)
        self.remove_button = button("Remove…", lambda: self._confirm_removal(True))
        self._removal = self._make_removal()
        self.finding = DiscoveryCard(shell, self.fill_form)
        self._taken: Candidate | None = None
        self.add_view("Targets", self._content())
        self.set_primary("Add target", self.add)
        self.add_command("Add a board", self.begin)
        self.form.submitted.connect(self.add)
        self.strip.finished.connect(self._finished)
        self.contact.trusted.connect(self.probe)
        self.table.itemSelectionChanged.connect(self._show_selected)

    def _content(self) -> QWidget:
        listed = Card()
        listed.body.setContentsMargins(4, 4, 4, 4)
        listed.body.addWidget(self.table)
        left, right = QWidget(), QWidget()
        for side, parts in (
            (left, (self.contact, listed, self._known(), self.strip)),
            (right, (self._adding(), self.finding)),
        ):
            layout = QVBoxLayout(side)
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(2 * GRID)
            for part in parts:
                layout.addWidget(part)
            layout.addStretch(1)
        content = Scroll()
        content.body.addWidget(TwoColumns(left, right, (1, 0), _TWO_COLUMNS))
        content.body.addStretch(1)
        return content

    def _known(self) -> Card:
        self._card = Card("Facts")
        self._card.body.addWidget(self.hint)
        self._card.body.addWidget(self.fields)
        self._card.body.addLayout(row(self.probe_button, self.remove_button, None))
        self._card.body.addWidget(self._removal)
        return self._card

    def _make_removal(self) -> QWidget:
        holder = QWidget()
        self._removal_text = label("", wrap=True)
        self._removal_text.setMinimumWidth(30 * GRID)
        confirm = button("Remove", self._remove, "danger")
        keep = button("Cancel", lambda: self._confirm_removal(False), "link")
        self.confirm_removal = confirm
        layout = row(self._removal_text, confirm, keep)
        layout.setStretch(0, 1)
        holder.setLayout(layout)
        holder.hide()
        return holder

    def _adding(self) -> Card:
        card = Card("Add a board", "The board needs only sshd and python3.")
        card.setMinimumWidth(FORM_WIDTH)
        card.body.addWidget(self.form)
        card.body.addWidget(line())
        note = "You confirm the host key at the first connection, before any data is sent."
        card.body.addWidget(label(note, "small", wrap=True))
        return card

    def begin(self) -> None:
        """Put the keyboard into the form's first field."""
        self.form.fields[OPTIONS[0].name].editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def take_focus(self) -> None:
        """Without a board yet, one begins with adding one."""
        if len(self.workspace.registry.targets()) > 1:
            super().take_focus()
        else:
            self.begin()

    def on_event(self, event: object) -> None:
        """Follow both jobs of this page."""
        super().on_event(event)
        self.finding.strip.on_event(event)

    def fill_form(self, found: Candidate) -> None:
        """Fill the form with a board that was found; adding it is the next click."""
        self._taken = found
        given = {name: found.settings.get(name, "") for name in SETTINGS}
        self.form.set_values({"name": found.name, "url": found.url, **given})
        if self.primary is not None:
            self.primary.setFocus(Qt.FocusReason.OtherFocusReason)

    def add(self) -> None:
        """Add the target of the form, then ask it what it is."""
        if not self.form.check():
            return
        values = self.form.values()
        settings = {name: str(values[name]) for name in SETTINGS if values.get(name)}
        if self._taken and self._taken.url == values["url"]:
            settings = {**self._taken.settings, **settings}
        spec = TargetSpec(str(values["name"]), str(values["url"]), settings=settings)
        try:
            self.workspace.add_target(spec)
        except StudioError as error:
            self.shell.fail(error)
            return
        self.form.set_values({option.name: "" for option in OPTIONS})
        self.form.forget_complaints()
        self.refresh()
        self._select(spec.name)
        self.probe(spec.name)

    def probe(self, name: str) -> None:
        """Probe the hardware and software of a target."""
        if self.strip.running:
            return
        self._probed = next((t for t in self._targets if t.name == name), None)
        self.strip.follow(self.shell.start(PROBE, target=name))
        self._show_selected()

    def _probe_selected(self) -> None:
        target = self._selected()
        if target is not None:
            self.probe(target.name)

    def _finished(self, outcome: JobOutcome) -> None:
        target = self._probed
        if target is not None:
            failure = f"{outcome.sentence} {outcome.hint}".strip()
            self._failures[target.name] = "" if outcome.ok else failure
            if self.contact.present_if_unknown(target, outcome):
                self._states[target.name] = ("key not confirmed", "warning")
            elif outcome.ok:
                self._states[target.name] = ("reachable", "good")
            else:
                self._states[target.name] = ("unreachable", "bad")
        self.refresh_soon()

    def refresh(self) -> None:
        """Show the targets, and what is known of the selected one."""
        chosen = self._selected()
        self._targets = self.workspace.registry.targets()
        self.table.blockSignals(True)
        self.table.show_rows([self._cells(target) for target in self._targets])
        self.table.blockSignals(False)
        self.table.fit_height(10)
        self.set_note(figures.count(len(self._targets), "target"))
        self._select(chosen.name if chosen else rows.LOCAL)

    def _cells(self, target: TargetSpec) -> list[str | QWidget]:
        facts = rows.facts_of(self.workspace.registry.facts(target.name))
        known = ("probed", "good") if facts else ("not probed", "")
        word, tone = self._states.get(target.name, known)
        return [
            rows.title(target),
            target.url,
            rows.kind(target, facts).removeprefix("board · "),
            figures.megabytes(facts.memory_mb or None if facts else None),
            figures.megabytes(facts.disk_free_mb or None if facts else None),
            Pill(word, tone),
        ]

    def _selected(self) -> TargetSpec | None:
        y = self.table.currentRow()
        return self._targets[y] if 0 <= y < len(self._targets) else None

    def _select(self, name: str) -> None:
        for y, target in enumerate(self._targets):
            if target.name == name:
                self.table.selectRow(y)
        self._show_selected()

    def _show_selected(self) -> None:
        target = self._selected()
        self._confirm_removal(False)
        self._card.setVisible(target is not None)
        if target is None:
            return
        facts = rows.facts_of(self.workspace.registry.facts(target.name))
        self._card.heading.setText(rows.title(target))
        self.fields.show_fields(rows.fields(facts) if facts else ())
        name = rows.spoken(target.name)
        failure = self._failures.get(target.name, "")
        unknown = f"Not probed yet. Probe reads the hardware and software of {name}."
        self.hint.setText(failure or unknown)
        self.hint.setVisible(bool(failure) or not facts)
        set_enabled(self.probe_button, "A probe is running." if self.strip.running else "")
        local = target.name == rows.LOCAL
        set_enabled(self.remove_button, "This computer is always a target." if local else "")

    def _confirm_removal(self, ask: bool) -> None:
        target = self._selected()
        self._removal.setVisible(ask and target is not None)
        if ask and target is not None:
            self._removal_text.setText(
                f"Remove {target.name} from the list? Its releases keep running and its history is "
                "kept."
            )
            self.confirm_removal.setFocus()

    def _remove(self) -> None:
        target = self._selected()
        if target is None:
            return
        try:
            self.workspace.remove_target(target.name)
        except StudioError as error:
            self.shell.fail(error)
            self.refresh()  # another studio has removed it
            return
        self._states.pop(target.name, None)
        self.refresh()
        self.shell.notify(f"{target.name} removed.")
