"""The Compare view of the Model page: two variants side by side, and what changed as a list."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QMenu,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from studio.api.qt import plain_tip
from studio.gui import figures
from studio.gui.graph.comparison import STATES, Comparison, DiffLine
from studio.gui.graph.costs import KINDS, short_count
from studio.gui.graph.linked_panes import LinkedPanes
from studio.gui.graph.scene import Scene
from studio.gui.names import shown
from studio.gui.pages.shared.stage_page import JobStrip
from studio.gui.shell import Shell
from studio.gui.widgets.basics import GRID, ElidedLabel, Hint, Segmented, button, clear, label, row
from studio.gui.widgets.sortable import SortableRow, SortableTable

if TYPE_CHECKING:
    from studio.models.results import DiffResult
    from studio.workspace import GraphView, JobOutcome, VariantRecord, Workspace

COLUMNS = ("State", "Before", "After", "Change", "Δ MACs", "Δ weights")
NUMERIC = (4, 5)
WIDTHS = (96, 200, 200, 0, 104, 104)
_MOST_CHIPS = 2

_BLOCKS_FROM = 2_000
"""Graphs with more nodes are compared as blocks first."""


class CompareView(QWidget):
    """A comparison of the current variant with another one of its model; the older is "before"."""

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__()
        self.workspace = workspace
        self.shell = shell
        self.variant: VariantRecord | None = None
        self.other: VariantRecord | None = None
        self.comparison: Comparison | None = None
        self._views: dict[int, GraphView] = {}
        self._result: DiffResult | None = None
        self.strip = JobStrip()
        self.chips = row(spacing=4)
        self.counts = ElidedLabel("", Qt.TextElideMode.ElideRight)
        self.counts.setProperty("role", "dim")
        self.colors = Segmented(["Changes", *(kind.title for kind in KINDS)], "Colours")
        self.colors.setToolTip("Node colours")
        self.detail = Segmented(["Blocks", "All nodes"], "Level of detail")
        self.detail.setToolTip("Compare blocks or all nodes")
        self.back = button("↑", partial(self.step, -1), "tool")
        self.onward = button("↓", partial(self.step, 1), "tool")
        self.where = label("", "dim")
        self.panes = LinkedPanes(shell.theming)
        self.table = SortableTable(COLUMNS, NUMERIC, WIDTHS, "Change")
        self.alone = Hint(
            "Only one variant",
            "Quantize or edit the model to compare variants here.",
            "Go to Optimize",
            lambda: shell.go("quantize"),
        )
        self.waiting = Hint("Comparing the graphs…")
        self.trouble = Hint("The graphs cannot be compared", " ", "Try again", self.compare)
        self._stack = QStackedWidget()
        self._build()
        self._connect()

    def _build(self) -> None:
        body = QSplitter(Qt.Orientation.Vertical)
        body.setChildrenCollapsible(False)
        body.addWidget(self.panes)
        body.addWidget(self.table)
        body.setSizes([420, 200])
        body.setStretchFactor(0, 1)
        for item in (body, self.alone, self.waiting, self.trouble):
            self._stack.addWidget(item)
        self._body = body
        self._choose = label("Compare with", "dim")
        for step, name in (
            (self.back, "Previous difference (P)"),
            (self.onward, "Next difference (N)"),
        ):
            step.setFixedWidth(4 * GRID)
            step.setToolTip(plain_tip(name))
            step.setAccessibleName(name)
        top = row(self._choose, self.chips, self.detail, self.counts, spacing=GRID)
        for part in (self.back, self.onward, self.where, self.colors):
            top.addWidget(part)
        self.counts.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        top.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(self.strip)
        layout.addWidget(self._stack, 1)

    def _connect(self) -> None:
        self.strip.finished.connect(self._finished)
        self.colors.changed.connect(self._recolor)
        self.table.chosen.connect(self._chosen)
        self.panes.chosen.connect(self._took)
        self.panes.stepped.connect(self.step)
        self.panes.opened.connect(self._open_block)
        self.detail.changed.connect(lambda _index: self.rebuild())

    # Which variants

    def show_variant(self, variant: VariantRecord | None) -> None:
        """Set the current variant; the comparison starts when the view is shown."""
        self.variant, self.other, self.comparison = variant, None, None
        self.panes.show_comparison(None, ("", ""))
        if self.isVisible():
            self.refresh()

    def showEvent(self, event: QShowEvent) -> None:
        """Compare when the view is shown."""
        super().showEvent(event)
        self.refresh()

    def refresh(self) -> None:
        """Offer the variants that there are now, and compare with the likeliest one."""
        if self.variant is None:
            return
        found = self.workspace.registry.variants(self.variant.model)
        others = [one for one in found if one.id != self.variant.id]
        self._show_chips(others)
        steps = (self.back, self.onward, self.where)
        for item in (self._choose, self.counts, self.colors, self.detail, *steps):
            item.setVisible(bool(others))
        if not others:
            self._stack.setCurrentWidget(self.alone)
        elif self.other is None or self.other.id not in {one.id for one in others}:
            parent = [one for one in others if one.id == self.variant.parent]
            self.choose((parent or others)[0])

    def choose(self, other: VariantRecord) -> None:
        """Compare with another variant."""
        if self.other is None or other.id != self.other.id:
            self.other, self.comparison = other, None
            self.refresh()
            self.compare()

    def _show_chips(self, others: list[VariantRecord]) -> None:
        clear(self.chips)
        chosen = self.other.id if self.other is not None else None
        seen = others[:_MOST_CHIPS]
        if chosen not in {one.id for one in seen}:
            seen = [*others[: _MOST_CHIPS - 1], *(one for one in others if one.id == chosen)]
        for one in seen:
            chip = button(one.name, partial(self.choose, one))
            chip.setProperty("role", "chip")
            chip.setCheckable(True)
            chip.setChecked(one.id == chosen)
            chip.setAccessibleName(f"Compare with {one.name}")
            chip.clicked.connect(partial(chip.setChecked, True))
            self.chips.addWidget(chip)
        rest = [one for one in others if one not in seen]
        if rest:
            self.chips.addWidget(self._more(rest))

    def _more(self, others: list[VariantRecord]) -> QPushButton:
        """Return a chip whose menu has the variants for which there is no room."""
        chip = QPushButton(f"{len(others)} more")
        chip.setProperty("role", "chip")
        chip.setAccessibleName(f"Compare with one of {len(others)} more variants")
        menu = QMenu(chip)
        for one in others:
            menu.addAction(one.name, partial(self.choose, one))
        chip.setMenu(menu)
        return chip

    def _pair(self) -> tuple[VariantRecord, VariantRecord] | None:
        """Before and after: the older one is before."""
        if self.variant is None or self.other is None:
            return None
        one, other = sorted((self.variant, self.other), key=lambda variant: variant.id)
        return one, other

    # The work

    def compare(self) -> None:
        """Run the step; the graphs are read while it runs."""
        pair = self._pair()
        if pair is None:
            return
        if self.strip.job is not None:
            self.strip.job.cancel()
        self._stack.setCurrentWidget(self.waiting)
        self.counts.setText("")
        self._result = None
        job = self.shell.start("diff", a=f"#{pair[0].id}", b=f"#{pair[1].id}")
        if not self.strip.follow(job):
            self._show_message("The comparison did not start.")
            return
        for one in pair:
            if one.id not in self._views:
                self.workspace.load_graph(one.id, partial(self._read, one.id))

    def on_event(self, event: object) -> None:
        """Follow the comparison."""
        self.strip.on_event(event)

    def _read(self, variant: int, view: GraphView | Exception) -> None:
        if isinstance(view, Exception):
            self._show_message(str(view))
        else:
            self._views[variant] = view
            self._assemble()

    def _finished(self, outcome: JobOutcome) -> None:
        if outcome.ok:
            self._result = outcome.result
            self._assemble()
        else:
            self._show_message(outcome.sentence)

    def _assemble(self) -> None:
        """Once the diff and both graphs are there: index them off the window's thread."""
        pair, result = self._pair(), self._result
        if pair is None or result is None or any(one.id not in self._views for one in pair):
            return
        self._views = {one.id: self._views[one.id] for one in pair}  # others only take memory
        views = self._views.values()
        folds = all(view.folded is not None for view in views)
        large = max(len(view.model.graph.nodes) for view in views) > _BLOCKS_FROM
        self.detail.setVisible(folds)
        self.detail.choose(0 if folds and large else 1)
        self.rebuild()

    def rebuild(self, match: int = -1) -> None:
        """Index both graphs, whole or as blocks, off the window's thread.

        Args:
            match: What is selected then.
        """
        pair, result = self._pair(), self._result
        if pair is None or result is None or any(one.id not in self._views for one in pair):
            return
        folded = self.detail.index() == 0
        both = (self._views[pair[0].id], self._views[pair[1].id])
        across = self.panes.panes[0].bar.choices.across
        build = partial(_build, result, both, folded, across)
        self.workspace.in_background(build, partial(self._built, pair, match))

    def _built(
        self,
        pair: tuple[VariantRecord, VariantRecord],
        match: int,
        found: tuple[Comparison, list[SortableRow]] | Exception,
    ) -> None:
        if pair != self._pair():
            return
        if isinstance(found, Exception):
            raise found
        self.comparison, rows = found
        self._stack.setCurrentWidget(self._body)
        self.panes.show_comparison(
            self.comparison, (f"Before: {pair[0].name}", f"After: {pair[1].name}")
        )
        self._recolor()
        self.table.show_rows(rows)
        self._count()
        self._show_position()
        if match >= 0:
            self.table.select(match)
            self._chosen(match)

    def _show_message(self, sentence: str) -> None:
        self.trouble.text.setText(sentence)
        self._stack.setCurrentWidget(self.trouble)

    def _count(self) -> None:
        result = self._result
        assert result is not None
        counts = {"changed": result.changed, "added": result.added, "removed": result.removed}
        parts = [f"{count} {word}" for word, count in counts.items() if count]
        self.counts.setText(" · ".join([*parts, f"{result.matched} of {result.compute} matched"]))

    # Differences, one by one

    def step(self, way: int) -> None:
        """Select the next difference from top to bottom, or the one before."""
        if self.comparison is None or not self.comparison.differences:
            return
        found = self.comparison.differences
        now = self.table.selected()
        place = found.index(now) if isinstance(now, int) and now in found else None
        at = (0 if way > 0 else -1) if place is None else (place + way) % len(found)
        self.table.select(found[at])
        self._chosen(found[at])

    def _show_position(self) -> None:
        """Show the number of the selected difference, and how many exist."""
        found = self.comparison.differences if self.comparison is not None else []
        now = self.table.selected()
        many = figures.count(len(found), "difference")
        if isinstance(now, int) and now in found:
            many = f"{found.index(now) + 1} of {many}"
        self.where.setText(many)
        for item in (self.back, self.onward):
            item.setEnabled(bool(found))

    def _took(self, match: int) -> None:
        """A box was selected: so is its line."""
        self.table.select(match if match >= 0 else None)
        self._show_position()

    def _open_block(self, match: int) -> None:
        """Show what differs inside of a block."""
        self.detail.choose(1)
        self.rebuild(match)

    def _recolor(self) -> None:
        kind = self.colors.index()
        self.panes.show_kind(KINDS[kind - 1] if kind > 0 else None)

    def _chosen(self, key: Hashable) -> None:
        if isinstance(key, int):
            self.panes.select(key)
            self._show_position()


def _build(
    result: DiffResult, views: tuple[GraphView, GraphView], folded: bool, across: bool = False
) -> tuple[Comparison, list[SortableRow]]:
    scenes = [_scene(view, folded, across) for view in views]
    comparison = Comparison(result, views, scenes)
    rows = [_row(number, match) for number, match in enumerate(comparison.matches)]
    # What is the same comes last: one looks for what is not.
    rows.sort(key=lambda one: comparison.matches[int(one.key)].state == "same")  # type: ignore[call-overload]
    return comparison, rows


def _scene(view: GraphView, folded: bool, across: bool) -> Scene:
    part = view.shown("", folded=folded, across=across)
    return Scene(part.graph, part.layout, frozenset(view.model.functions), across=part.across)


def _row(number: int, match: DiffLine) -> SortableRow:
    macs, weights = (match.delta(kind.title) for kind in KINDS)
    before, after = (
        _title(match.operators[side], match.names[side]) for side in range(len(match.names))
    )
    return SortableRow(
        number,
        (
            match.state,
            before,
            after,
            shown(match.text),
            _signed(macs, "macs"),
            _signed(weights, ""),
        ),
        (STATES.index(match.state), before, after, match.text, macs, weights),
    )


def _title(operators: str, names: tuple[str, ...]) -> str:
    if not names:
        return figures.NOTHING
    return " ".join(part for part in (operators, shown(names[0].rsplit("/", 1)[-1])) if part)


def _signed(value: float | None, unit: str) -> str:
    if value is None:
        return figures.NOTHING
    text = short_count(abs(value)) if unit else figures.size(abs(value))
    return f"{'−' if value < 0 else '+' if value else ''}{text}"
