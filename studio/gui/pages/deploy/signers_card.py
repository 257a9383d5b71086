"""The allowed signers of a board: the keys that it admits, and the menu to change them."""

from __future__ import annotations

from collections.abc import Callable

from studio.deployment.results import AllowedKey, AllowedSigners, TargetStatus
from studio.gui import figures
from studio.gui.pages.deploy import signers_menu
from studio.gui.pages.shared import target_rows
from studio.gui.widgets.basics import Card, button, label, row, set_enabled
from studio.gui.widgets.tables import Table

COLUMNS = ("Signer", "Key", "Fingerprint", "Since", "Added by")
NONE_CHOSEN = "Select a board above to see its allowed signers."
MOST = 8


class SignersCard(Card):
    """The signers of the chosen board.

    Args:
        trust: Called with the options of the step that changes them.
    """

    def __init__(self, trust: Callable[..., object]) -> None:
        super().__init__("Allowed signers")
        self._trust = trust
        self._name = ""
        self.text = label(NONE_CHOSEN, "dim", wrap=True)
        self.table = Table(COLUMNS, stretch=2, name="Signers")
        self.changed = label("", "small", wrap=True)
        self.change = button("Change…", self._open_menu)
        self.body.addWidget(self.text)
        self.body.addWidget(self.table)
        self.body.addWidget(self.changed)
        self.body.addLayout(row(self.change, None))
        self.show_board("", None)

    def show_board(self, name: str, seen: TargetStatus | None, busy: str = "") -> None:
        """Show the keys of a board's last status.

        Args:
            name: Empty where no board is chosen.
            busy: Why nothing can be changed now.
        """
        self._name = name
        spoken = target_rows.spoken(name)
        known = (seen and seen.signers) or AllowedSigners()
        self.heading.setText(f"Allowed signers of {spoken}" if name else "Allowed signers")
        self.text.setText(_sentence(name, seen) if name else NONE_CHOSEN)
        self.table.show_rows([_cells(one) for one in known.keys])
        self.table.setVisible(bool(known.keys))
        self.table.fit_height(MOST)
        changed = figures.moment(known.changed) if known.changed else ""
        by = f" by {known.by}" if known.by else ""
        self.changed.setText(f"Last changed {changed}{by}." if changed else "")
        self.changed.setVisible(bool(changed))
        fixed = ""
        if known.fixed:
            fixed = f"Set by {known.file}. Only the administrator of {spoken} can change it."
        first = "" if name else "Select a board first."
        set_enabled(self.change, first or busy or fixed)
        self.change.setAccessibleName(
            f"Change the allowed signers of {spoken}" if name else "Change"
        )

    def _open_menu(self) -> None:
        if self._name:
            menu = signers_menu.signers_menu(self, self._name, self._trust)
            menu.popup(self.change.mapToGlobal(self.change.rect().bottomLeft()))


def _cells(one: AllowedKey) -> list[str]:
    kind = one.kind.removeprefix("ssh-")
    return [
        one.name or figures.NOTHING,
        f"{kind} · {one.limits}" if one.limits else kind,
        one.fingerprint or figures.NOTHING,
        figures.moment(one.since or None),
        one.by or figures.NOTHING,
    ]


def _sentence(name: str, seen: TargetStatus | None) -> str:
    spoken = target_rows.spoken(name)
    signers = seen.signers if seen else None
    if signers is None:
        if seen is None or seen.state == "no answer" or seen.facts:
            return f"Unknown. Press Refresh to check {spoken}."
        return f"The platform of {spoken} controls who can deploy."
    if not signers.file:
        return (
            f"{target_rows.named(name)} accepts unsigned releases from every user who can log in. "
            "Press Change… to require signed releases."
        )
    if not signers.keys:
        return f"Signed releases only. Could not read the allowed signers from {signers.file}."
    return "Only releases signed by one of these keys:"
