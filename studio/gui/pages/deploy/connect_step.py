"""The first step of the sheet: known and found targets of a kind, or a new one, checked at once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QPushButton, QVBoxLayout, QWidget

from studio.api import StudioError, TargetSpec
from studio.api.discovery import Candidate
from studio.api.qt import plain_tip
from studio.api.sheets import DeploySheet
from studio.deployment.results import FindResult
from studio.documents.defects import unforeseen
from studio.gui.forms.form import Form
from studio.gui.pages.deploy.target_kinds import TargetKind
from studio.gui.pages.shared import target_rows
from studio.gui.pages.shared.host_key_panel import HostKeyPanel
from studio.gui.pages.shared.stage_page import JobStrip
from studio.gui.pages.shared.target_states import TargetState
from studio.gui.shell import Shell
from studio.gui.widgets.basics import (
    ElidedLabel,
    FieldList,
    Pill,
    button,
    clear,
    label,
    row,
)

if TYPE_CHECKING:
    from studio.workspace import JobOutcome, Workspace

log = logging.getLogger(__name__)

FIND, PROBE = "target-find", "target-probe"
SHOWN = 8
FACTS = ("Board", "System", "Processor", "Memory", "Free disk", "Python", "Runtimes", "Warnings")


class ChoiceRow(QPushButton):
    """A target to choose: its name, what is known of it, and whether it is new."""

    def __init__(self, name: str, text: str, word: str, tone: str = "") -> None:
        super().__init__()
        self.setProperty("role", "choice")
        self.setCheckable(True)
        known = ElidedLabel(text, Qt.TextElideMode.ElideRight)
        known.setProperty("role", "dim")
        layout = row(label(name, "strong"), known, label(word, "small", tone=tone))
        layout.setStretch(1, 1)
        layout.setContentsMargins(12, 0, 12, 0)
        self.setLayout(layout)
        self.setAccessibleName(f"{name}, {text}, {word}")
        for part in self.findChildren(QWidget):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)


class ConnectStep(QWidget):
    """The targets of one kind. A new one is added by the check, and stays only if it succeeds.

    Signals:
        connected: A target that may be configured.
        changed: Something else is chosen, or a check has started or ended.
        silent: Name of a known target that could not be reached.
    """

    connected = Signal(object)
    changed = Signal()
    silent = Signal(str)

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__()
        self._workspace = workspace
        self._shell = shell
        self._kind: TargetKind | None = None
        self._sheet: DeploySheet | None = None
        self._taken: Candidate | None = None
        self._added = ""
        self._checked = ""
        self.chosen: TargetSpec | None = None
        self.rows: dict[str, ChoiceRow] = {}
        self.form: Form | None = None
        self.finding, self.strip = JobStrip(), JobStrip()
        self.contact = HostKeyPanel(workspace)
        self.heading = label("", "section")
        self.search = button("Search again", self.look, "link")
        self.searched = label("", "dim", wrap=True)
        self.failure = label("", tone="bad", wrap=True)
        self.pill = Pill("", "")
        self.facts = FieldList()
        self._group = QButtonGroup(self)
        self._lay_out()
        self.finding.finished.connect(self._found)
        self.strip.finished.connect(self._probed)
        self.contact.trusted.connect(self._trusted)
        self.contact.dismiss.clicked.connect(lambda: self.abandon())

    def _lay_out(self) -> None:
        self._rows = QVBoxLayout()
        self._rows.setSpacing(4)
        self._place = QVBoxLayout()
        self._new = label("Or a new one", "section")
        self._state = QWidget()
        self._name = label("", "section")
        self._state.setLayout(row(self._name, self.pill, None))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addLayout(row(self.heading, None, self.search))
        column.addLayout(self._rows)
        column.addWidget(self.searched)
        column.addWidget(self.finding)
        column.addWidget(self._new)
        column.addLayout(self._place)
        for part in (self.failure, self.contact, self.strip, self._state, self.facts):
            column.addWidget(part)

    @property
    def busy(self) -> bool:
        """Whether a target is being checked."""
        return self.strip.running

    @property
    def adds(self) -> bool:
        """Whether the next click adds a target, as none of the known ones is chosen."""
        return self.chosen is None

    def on_event(self, event: object) -> None:
        """Follow the jobs of the step."""
        self.finding.on_event(event)
        self.strip.on_event(event)

    def show_kind(self, kind: TargetKind, sheet: DeploySheet | None) -> None:
        """Offer the targets of a kind, and begin to look for more where its connector can."""
        self.abandon()
        self._kind, self._sheet, self._taken, self.chosen = kind, sheet, None, None
        self.heading.setText(f"{kind.title}: known targets")
        finds = sheet is not None and sheet.finds
        self.search.setVisible(finds)
        self.searched.clear()
        self._make_form(sheet)
        self.show_targets({})
        self._show_check(None)
        if finds:
            self.look()

    def _make_form(self, sheet: DeploySheet | None) -> None:
        clear(self._place)
        options = sheet.place_options if sheet is not None else ()
        self.form = Form(options, columns=2) if options else None
        self._new.setVisible(self.form is not None)
        if self.form is not None:
            self.form.changed.connect(self._entered)
            self._place.addWidget(self.form)

    def show_targets(self, states: dict[str, TargetState], found: Sequence[Candidate] = ()) -> None:
        """List the known targets first, then what was found."""
        kind, registry = self._kind, self._workspace.registry
        if kind is None:
            return
        clear(self._rows)
        self.rows = {}
        known = [target for target in registry.targets() if kind.has(target)]
        for target in known:
            facts = target_rows.facts_of(registry.facts(target.name))
            about = target_rows.kind(target, facts).partition(" · ")[2] or target.url
            state = states.get(target.name)
            text = " · ".join(filter(None, (about, state.release if state else "")))
            made = self._add_row(target.name, ChoiceRow(target_rows.title(target), text, "known"))
            made.clicked.connect(lambda _=False, one=target: self._choose(one))
        urls = {target.url for target in known}
        new = [one for one in found if one.url not in urls][:SHOWN]
        for one in new:
            place = one.url.partition("://")[2] or one.url
            made = self._add_row(one.url, ChoiceRow(one.name, place, "new", "accent"))
            made.setToolTip(plain_tip(one.text))
            made.clicked.connect(lambda _=False, one=one: self._take(one))
        if not known and not new:
            self._rows.addWidget(label("No target yet.", "dim"))

    def _add_row(self, key: str, made: ChoiceRow) -> ChoiceRow:
        self.rows[key] = made
        self._group.addButton(made)
        self._rows.addWidget(made)
        return made

    # Finding

    def look(self) -> None:
        """Look for targets without adding any."""
        if self.finding.running:
            return
        if self.finding.follow(self._shell.start(FIND)):
            self.searched.setText("Searching…")
            self.finding.hide()  # the line above is enough, and moves nothing

    def _found(self, outcome: JobOutcome) -> None:
        result = outcome.result
        if not outcome.ok or not isinstance(result, FindResult):
            self.searched.setText(outcome.sentence)
            return
        said = [f"{one.text} {one.hint}".strip() for one in result.problems]
        if not result.found:
            said.insert(0, "Nothing else found.")
        self.searched.setText(" ".join(said))
        self.show_targets({}, result.found)
        if self.chosen is not None and self.chosen.name in self.rows:
            self.rows[self.chosen.name].setChecked(True)

    # Choosing

    def _choose(self, target: TargetSpec) -> None:
        """Choose a known target, and check it while the user looks."""
        self.chosen, self._taken = target, None
        self._show_check(target)
        self.changed.emit()
        self._probe(target)

    def _take(self, one: Candidate) -> None:
        """Fill the form with what was found; the next click connects to it."""
        self.chosen, self._taken = None, one
        self._show_check(None)
        if self.form is not None:
            values = {"name": one.name, "url": one.url, **one.settings}
            self.form.set_values(values)
            self.form.forget_complaints()
        self.chosen, self._taken = None, one
        self.changed.emit()

    def _entered(self) -> None:
        """Something was typed: it is another target than the chosen one."""
        checked = self._group.checkedButton()
        if self.chosen is not None and checked is not None:
            self._group.setExclusive(False)
            checked.setChecked(False)
            self._group.setExclusive(True)
        self.chosen = None
        self.changed.emit()

    # Connecting

    def proceed(self) -> None:
        """Take the chosen target, or add the one of the form and check it."""
        if self.busy:
            return
        if self.chosen is not None:
            self.connected.emit(self.chosen)
        elif self.form is not None and self._sheet is not None and self.form.check():
            self._connect(self._sheet)

    def _connect(self, sheet: DeploySheet) -> None:
        assert self.form is not None
        try:
            spec = sheet.spec(self.form.values())
            taken = self._taken
            if taken is not None and taken.url == spec.url:
                spec = replace(spec, settings={**taken.settings, **spec.settings})
            if any(one.name == spec.name for one in self._workspace.registry.targets()):
                raise StudioError(f"A target named {spec.name} exists. Choose it, or another name.")
            self._workspace.add_target(spec)
        except StudioError as error:
            self._show_failure(f"{error.message} {error.hint}".strip())
            return
        except Exception as error:  # a plugin's code may raise anything
            log.exception("a sheet failed", extra={"plugin": self._plugin})
            self._blame(error)
            return
        self._added = spec.name
        if not self._probe(spec):
            self.abandon()

    @property
    def _plugin(self) -> str:
        return self._kind.plugin if self._kind is not None else ""

    def _blame(self, error: Exception) -> None:
        """Show that the plugin of the sheet has failed, and count it."""
        sentence = unforeseen(error, f"The plugin {self._plugin}")
        self._workspace.plugin_crashed(self._plugin, sentence)
        self._show_failure(sentence)

    def _probe(self, target: TargetSpec) -> bool:
        if self.strip.running or not self.strip.follow(
            self._shell.start(PROBE, target=target.name)
        ):
            return False
        self._checked = target.name
        self._show_failure("")
        self._name.setText(target_rows.title(target))
        self.pill.show_state("checking", "accent")
        self._state.show()
        self.changed.emit()
        return True

    def _probed(self, outcome: JobOutcome) -> None:
        registry = self._workspace.registry
        target = next((one for one in registry.targets() if one.name == self._checked), None)
        if target is None:
            return
        if outcome.ok:
            self._show_check(target)
            self.pill.show_state("ready", "good")
            if self._added == target.name:
                self._added = ""
                self.connected.emit(target)
        elif self.contact.present_if_unknown(target, outcome):
            self.pill.show_state("key not confirmed", "warning")
        else:
            self.pill.show_state("unreachable", "bad")
            self._show_failure(f"{outcome.sentence} {outcome.hint}".strip())
            if self._added == target.name:
                self.abandon()
            else:
                self.silent.emit(target.name)
        self.changed.emit()

    def _trusted(self, name: str) -> None:
        target = next((one for one in self._workspace.registry.targets() if one.name == name), None)
        if target is not None:
            self._probe(target)

    def abandon(self) -> None:
        """Remove a target whose check has not succeeded: a failed Connect adds none."""
        name, self._added = self._added, ""
        self.contact.hide()
        if name:
            self._workspace.remove_target(name)

    # Showing

    def _show_check(self, target: TargetSpec | None) -> None:
        self._show_failure("")
        registry = self._workspace.registry
        facts = target_rows.facts_of(registry.facts(target.name)) if target else None
        self._state.setVisible(target is not None)
        if target is not None:
            self._name.setText(target_rows.title(target))
            self.pill.show_state("known" if facts else "not checked yet", "")
        shown = target_rows.fields(facts) if facts else []
        self.facts.show_fields([pair for pair in shown if pair[0] in FACTS])

    def _show_failure(self, text: str) -> None:
        self.failure.setText(text)
        self.failure.setVisible(bool(text))
