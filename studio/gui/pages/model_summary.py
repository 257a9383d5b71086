"""The Summary view of the Model page: figures, inputs and outputs, operators, intake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QGridLayout, QWidget

from studio.api import Model
from studio.gui import figures
from studio.gui.pages import model_facts
from studio.gui.widgets import GRID, Card, FieldList, Pill, Scroll, Table, label, row

if TYPE_CHECKING:
    from studio.workspace import VariantRecord


class ModelSummary(Scroll):
    """The model at a glance."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Summary of the model")
        self._figures = FieldList(name_width=112)
        self._inputs = Table(("Input", "Type"), stretch=1, name="Inputs")
        self._outputs = Table(("Output", "Type"), stretch=1, name="Outputs")
        self._operators = Table(
            ("Operator", "Nodes", "Share of MACs"), numeric=(1, 2), stretch=0, name="Operators"
        )
        self._intake = Card("Intake", "What was found when the file was first looked at.")
        self._origin = FieldList(name_width=112)
        grid = QGridLayout()
        grid.setSpacing(2 * GRID)
        grid.addWidget(_card("Model", self._figures), 0, 0)
        grid.addWidget(_card("Inputs and outputs", self._inputs, self._outputs), 0, 1)
        grid.addWidget(_card("Operators", self._operators), 1, 0, 2, 1)
        grid.addWidget(self._intake, 1, 1)
        grid.addWidget(_card("Origin", self._origin), 2, 1)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        self.body.addLayout(grid)
        self.body.addStretch(1)

    def show_variant(self, variant: VariantRecord | None) -> None:
        """Show the figures of a variant."""
        if variant is None:
            return
        self._figures.show_fields(model_facts.figures_of(variant))
        for table, which in ((self._inputs, "inputs"), (self._outputs, "outputs")):
            table.show_rows(model_facts.terminals(variant, which))
            table.fit_height(8)
        self._operators.show_rows(
            (name, str(number), figures.NOTHING if share is None else f"{100 * share:.1f} %")
            for name, number, share in model_facts.operators(variant)
        )
        self._operators.fit_height(16)
        self._show_findings(variant)
        self._origin.show_fields(
            [
                ("Variant", variant.name),
                ("Opened", figures.moment(variant.created)),
                ("From", str(variant.options.get("model", figures.NOTHING))),
                ("SHA-256", variant.digest),
            ]
        )

    def show_model(self, model: Model) -> None:
        """Add what only the graph knows: the file's own notes."""

    def _show_findings(self, variant: VariantRecord) -> None:
        body = self._intake.body
        while body.count() > 2:  # heading and note stay
            item = body.takeAt(2)
            if item is not None and (widget := item.widget()) is not None:
                widget.deleteLater()
        findings = model_facts.findings(variant)
        if not findings:
            body.addWidget(label("Nothing to remark: no external data, no unknown operators."))
        for finding in findings:
            holder = QWidget()
            holder.setLayout(row(Pill(finding.level, finding.tone), label(finding.text, wrap=True)))
            body.addWidget(holder)
        body.addStretch(1)


def _card(title: str, *content: QWidget) -> Card:
    card = Card(title)
    for item in content:
        card.body.addWidget(item)
    card.body.addStretch(1)
    return card
