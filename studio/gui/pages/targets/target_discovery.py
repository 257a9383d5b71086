"""The card that finds boards: in ~/.ssh/config, by announcements, in a subnet on request."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QLineEdit, QVBoxLayout

from studio.api.discovery import Candidate
from studio.api.qt import plain_tip
from studio.deployment.results import FindResult
from studio.gui.pages.shared.stage_page import JobStrip
from studio.gui.shell import Shell
from studio.gui.widgets.basics import GRID, Card, button, clear, label, row, set_enabled

if TYPE_CHECKING:
    from studio.workspace import JobOutcome

STEP = "target-find"
SHOWN = 12
HINT = "Reads ~/.ssh/config and listens for mDNS announcements of boards."


class DiscoveryCard(Card):
    """A button, and a line for each board that was found; a click takes it into the form.

    Args:
        choose: Called with the board that was chosen, as the step reported it.
    """

    def __init__(self, shell: Shell, choose: Callable[[Candidate], object]) -> None:
        super().__init__("Discover boards")
        self._shell = shell
        self._choose = choose
        self.strip = JobStrip()
        self.subnet = QLineEdit()
        self.subnet.setPlaceholderText("Subnet, like 192.168.1.0/24")
        self.subnet.setAccessibleName("Subnet to scan")
        self.subnet.setToolTip(
            "Scans only this subnet, one connection per address. Leave empty to skip the scan."
        )
        self.find_button = button("Discover", self.discover)
        self.text = label(HINT, "dim", wrap=True)
        self.found: tuple[Candidate, ...] = ()
        self._rows = QVBoxLayout()
        self._rows.setSpacing(2)
        asked = row(self.subnet, self.find_button)
        asked.setStretch(0, 1)
        self.body.addWidget(self.text)
        self.body.addLayout(asked)
        self.body.addWidget(self.strip)
        self.body.addLayout(self._rows)
        self.strip.finished.connect(self._finished)

    def discover(self) -> None:
        """Search the network for boards without adding any."""
        if self.strip.running:
            return
        subnet = self.subnet.text().strip()
        options = {"subnet": subnet} if subnet else {}
        self.strip.follow(self._shell.start(STEP, **options))
        self._explain()

    def _finished(self, outcome: JobOutcome) -> None:
        if outcome.ok:
            self._show(outcome.result)
        self._explain()

    def _show(self, result: FindResult) -> None:
        clear(self._rows)
        self.found = result.found
        for one in self.found[:SHOWN]:
            made = button(one.name, functools.partial(self._choose, one), "link")
            made.setToolTip(plain_tip(f"{one.url}\n{one.text}"))
            made.setAccessibleName(f"Select {one.name}, {one.url}")
            place = label(one.url.removeprefix("ssh://"), "small")
            self._rows.addLayout(row(made, GRID, place, None))
        said = [f"{one.text} {one.hint}".strip() for one in result.problems]
        more = len(self.found) - SHOWN
        if more > 0:
            said.insert(0, f"{more} more. Command that lists all: studio target find.")
        if not self.found:
            said.insert(0, "No boards found.")
        self.text.setText(" ".join(said) or "Select a board to add:")

    def _explain(self) -> None:
        set_enabled(self.find_button, "Discovering boards…" if self.strip.running else "")
