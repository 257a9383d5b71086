"""The Responsible AI page: sections, worst group, calibration and operation of all models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from studio.features.evidence.pages.responsible.model_rows import (
    COLUMNS,
    EXTRA,
    NUMERIC,
    WIDTHS,
    matches,
    row_of,
    worst_status,
)
from studio.features.evidence.survey.facade import Evidence
from studio.features.evidence.survey.views import ModelEvidence
from studio.gui import figures
from studio.gui.pages.shared.base import Page
from studio.gui.shell import Shell
from studio.gui.widgets.basics import GRID, Card, FieldList, Hint, label, set_enabled
from studio.gui.widgets.list_or_hint import ListOrHint
from studio.gui.widgets.sortable import SortableRow, SortableTable
from studio.gui.widgets.tables import framed
from studio.workspace import EndpointChanged, RegistryChanged

if TYPE_CHECKING:
    from studio.workspace import VariantRecord, Workspace

_STEPS = (1230, 1100, 1020, 930, 850, 800)
"""Widths below which one column more is hidden."""
_LATER_MS = 200
_NO_ROW = "Select a model in the table."


class ResponsiblePage(Page):
    """The page of all models.

    Attributes:
        models: The lines that were read last.
    """

    stage = "responsible"
    title = "Responsible AI"
    icon = "evidence"
    fills_width = True

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__(workspace, shell)
        self.models: Sequence[ModelEvidence] = ()
        self._is_read = False
        self._stale = True
        self._soon = QTimer(self, singleShot=True, interval=_LATER_MS)
        self._soon.timeout.connect(self._refresh_soon)

    def build(self) -> Iterator[None]:
        """Make the table and the details of a line."""
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter models")
        self.filter.setAccessibleName("Filter models")
        self.filter.setClearButtonEnabled(True)
        self.filter.setFixedWidth(26 * GRID)
        self.table = SortableTable(COLUMNS, NUMERIC, WIDTHS, "Evidence of all models")
        yield
        self.detail = Card("Details")
        self.fields = FieldList()
        self.detail.body.addWidget(self.fields)
        self._none = label("No model matches the filter.", "dim")
        view, content = QWidget(), QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        column.setSpacing(GRID + 4)
        column.addWidget(framed(self.table), 1)
        column.addWidget(self._none)
        column.addWidget(self.detail)
        hint = Hint(
            "No models yet",
            "Each model that was opened here gets a line with its sections of evidence, its worst "
            "group, its calibration, and what happened in operation.",
            "Open a model",
            lambda: self.shell.choose_model(),
        )
        self._list = ListOrHint(view, content, hint)
        self.add_view("Models", view)
        yield
        self.add_tool(self.filter)
        self.set_primary("Open evidence", self._open)
        self.filter.textChanged.connect(lambda _: self._show())
        self.table.chosen.connect(lambda _: self._chosen())
        self.table.doubleClicked.connect(lambda _: self._open())
        self._chosen()

    def refresh(self) -> None:
        """Read all models in the background."""
        self._stale = False
        self.workspace.in_background(self.workspace.service(Evidence).models, self._take)

    def _refresh_soon(self) -> None:
        self._stale = True
        if self.isVisible():
            self.refresh()

    def _take(self, found: Sequence[ModelEvidence] | Exception) -> None:
        if isinstance(found, Exception):
            self.shell.fail(found)
            return
        self.models, self._is_read = found, True
        self._list.show_list(bool(found))
        self._show()

    def _rows(self) -> Iterator[SortableRow]:
        words = self.filter.text().lower().split()
        for model in self.models:
            made = row_of(model, worst_status(self.workspace.endpoints, model))
            if matches(made, words):
                yield made

    def _show(self) -> None:
        rows = list(self._rows())
        self.table.show_rows(rows)
        if rows and self.table.selected() is None:
            self.table.select(rows[0].key)
        of = figures.count(len(self.models), "model")
        self.set_note(of if len(rows) == len(self.models) else f"{len(rows)} of {of}")
        self._none.setVisible(self._is_read and not rows)
        self._chosen()

    def _model(self) -> ModelEvidence | None:
        key = self.table.selected()
        return next((one for one in self.models if one.variant == key), None)

    def _chosen(self) -> None:
        model = self._model()
        assert self.primary is not None
        set_enabled(self.primary, "" if model is not None else _NO_ROW)
        self.detail.setVisible(model is not None)
        if model is None:
            return
        status = worst_status(self.workspace.endpoints, model)
        line = row_of(model, status)
        self.detail.heading.setText(model.name)
        names = (1, 3, 4, 5, 6, 7, 8, 9, 10, 11)
        fields = [(COLUMNS[place], line.texts[place]) for place in names]
        fields.append(("Served on", ", ".join(model.targets) or "no target"))
        if status.reasons and model.targets:
            fields.append(("Reasons", " ".join(status.reasons)))
        self.fields.show_fields(fields)

    def _open(self) -> None:
        model = self._model()
        if model is not None:
            self.shell.select(model.variant)
            self.shell.go("evidence")

    def show_variant(self, variant: VariantRecord | None) -> None:
        """All models are shown, whichever is open."""

    def showEvent(self, event: QShowEvent) -> None:
        """Read what has changed while it was hidden."""
        super().showEvent(event)
        if self._stale:
            self.refresh()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Hide the least important columns on a narrow page."""
        super().resizeEvent(event)
        for width, column in zip(_STEPS, EXTRA, strict=True):
            self.table.setColumnHidden(column, event.size().width() < width)

    def on_event(self, event: object) -> None:
        """Read again after changes, once for those of a moment."""
        if isinstance(event, RegistryChanged | EndpointChanged):
            self._soon.start()
