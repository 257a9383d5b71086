"""Settings and connections of the selected part of an app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.features.apps.pages.app.placement import kinds_of
from studio.features.apps.pages.app.shapes import setting_texts
from studio.gui.widgets.basics import GRID, FieldList, Scroll, label

if TYPE_CHECKING:
    from studio.features.apps.results import AppPart

_EMPTY = "Select a box of the graph. Its settings appear here."
_WHERE = "Settings are changed in app.toml; lines and areas also in the preview."


class PartPanel(Scroll):
    """The selected source, step or sink: what it does, and its settings as they are written."""

    def __init__(self) -> None:
        super().__init__(margin=0, spacing=GRID)
        self.name = label("", "heading")
        self.summary = label("", "dim", wrap=True)
        self.facts = FieldList(name_width=10 * GRID)
        self.settings = FieldList(name_width=10 * GRID)
        self.title = label("Settings", "section")
        self.where = label(_WHERE, "dim", wrap=True)
        for widget in (
            self.name, self.summary, self.facts, self.title, self.settings, self.where,
        ):  # fmt: skip
            self.body.addWidget(widget)
        self.body.addStretch(1)
        self.show_part(None)

    def show_part(self, part: AppPart | None) -> None:
        """Show another part; None while none is selected."""
        for widget in (self.facts, self.title, self.settings, self.where):
            widget.setVisible(part is not None)
        self.name.setVisible(part is not None)
        self.summary.setText(f"{part.summary}." if part is not None else _EMPTY)
        if part is None:
            return
        self.name.setText(part.name)
        facts = [("Type", f"{part.type} ({part.group})")]
        takes = [
            f"{name} ({kind})" if kind else name
            for name, kind in zip(part.inputs, kinds_of(part), strict=True)
        ]
        facts += [("Input", ", ".join(takes))] if takes else []
        facts += [("Output", part.gives or "events")] if part.group != "sink" else []
        self.facts.show_fields(facts)
        settings = setting_texts(part.settings)
        self.settings.show_fields(settings or [("None", "All settings have their defaults.")])
