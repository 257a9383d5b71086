"""The inspector of the Model page: the selected node, or the model when nothing is selected."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from studio.api import AttributeValue, Node
from studio.api.inspection import OperatorDoc
from studio.gui import figures
from studio.gui.graph.costs import KINDS, CostKind, cost_of, short_count
from studio.gui.graph.families import TITLES
from studio.gui.graph.scene import Box, Scene
from studio.gui.names import shown
from studio.gui.pages.model import facts as model_facts
from studio.gui.pages.model.node_details import ConstantDetail, OperatorDetail
from studio.gui.pages.model.query_cache import QueryCache
from studio.gui.shell import Shell
from studio.gui.widgets.basics import (
    GRID,
    ElidedLabel,
    FieldList,
    Scroll,
    button,
    clear,
    label,
    line,
)
from studio.gui.widgets.elided_text import ElidedButton
from studio.gui.widgets.line_breaks import breakable
from studio.models.results import ConstantResult, ModelFigures
from studio.workspace import alike_text, is_folded_block, nodes_within, readable_type

if TYPE_CHECKING:
    from studio.workspace import GraphView, VariantRecord

LONGEST = 60

MOST = 40
"""Inputs, outputs and constants of a node that are listed; some nodes have thousands."""

MOST_OPENED = 4
"""Constants whose values are read at once."""

NAME_WIDTH = 88


class ModelInspector(Scroll):
    """The details of a node: kind, inputs, outputs and costs, with links to its neighbours.

    Args:
        go: Called with the box that the user wants to see.
        enter: Called with the block of the shown box, or its function, to be looked into.
        unfold: Unfolds the block that is shown in its place.
    """

    def __init__(
        self,
        shell: Shell,
        go: Callable[[int], None],
        enter: Callable[[str], None],
        unfold: Callable[[], None],
    ) -> None:
        super().__init__(margin=2 * GRID, spacing=GRID)
        self.constants: QueryCache[ConstantResult] = QueryCache(shell, "values")
        self.documentation: QueryCache[OperatorDoc] = QueryCache(shell, "operator")
        self._theming = shell.theming
        self._opsets: Mapping[str, int] = {}
        self._reads_texts = False
        self._weights: list[ConstantDetail] = []
        self._go = go
        self._enter = enter
        self._unfold = unfold
        self._variant: VariantRecord | None = None
        self._scene: Scene | None = None
        self._costs: dict[str, Mapping[str, float]] = {}
        self._is_stale = False
        self.setAccessibleName("Inspector")

    def on_event(self, event: object) -> None:
        """Pass the answers of workers on to the details."""
        self.constants.on_event(event)
        self.documentation.on_event(event)

    def show_variant(self, variant: VariantRecord | None) -> None:
        """Set another variant, whose graph still loads."""
        self._variant, self._scene = variant, None
        self.show_box(None)

    def show_scene(self, scene: Scene, view: GraphView) -> None:
        """Set the graph."""
        self._scene = scene
        self._costs = {kind.title: kind.values(view) for kind in KINDS}
        self._opsets = view.model.opsets
        self.show_box(None)

    def show_box(self, index: int | None) -> None:
        """Show a box of the scene, or the model as soon as the inspector is shown."""
        clear(self.body)
        self._weights = []
        self._is_stale = False
        if index is None or self._scene is None:
            if not self.isVisible():
                self._is_stale = True
                return
            self._show_model()
        else:
            self._show_scene_box(index, self._scene.boxes[index])
        self.body.addStretch(1)

    def showEvent(self, event: QShowEvent) -> None:
        """Show the model that was chosen while the inspector was hidden."""
        super().showEvent(event)
        if self._is_stale:
            self.show_box(None)

    def show_weights(self) -> None:
        """Open the values of the shown node's constants, and scroll to them."""
        for detail in self._weights[:MOST_OPENED]:
            detail.unfold()
        if self._weights:
            QTimer.singleShot(0, partial(self._scroll_to, self._weights[0]))

    def _scroll_to(self, widget: QWidget) -> None:
        if shiboken6.isValid(widget):  # the node may be another by now
            self.ensureWidgetVisible(widget)

    # Nothing selected

    def _show_model(self) -> None:
        if self._variant is None:
            self.body.addWidget(label("Loading types, costs and findings…", "dim", wrap=True))
            return
        self._head(self._variant.model_name, f"{self._variant.name} · {self._variant.format}")
        model = ModelFigures.read(self._variant.summary)
        self._fields(model_facts.figures_of(self._variant))
        self._section("Inputs")
        self._values(model_facts.terminals(model.inputs))
        self._section("Outputs")
        self._values(model_facts.terminals(model.outputs))
        self._section("Safety check")
        if not model.intake:
            self.body.addWidget(label("No issues found.", "dim"))
        for finding in model.intake:
            tone = model_facts.tone_of(finding)
            self.body.addWidget(label(finding.text, tone=tone, wrap=True))
        self.body.addSpacing(GRID)
        self.body.addWidget(
            label("Select a node to see its attributes and types.", "small", wrap=True)
        )

    # A box

    def _show_scene_box(self, index: int, box: Box) -> None:
        if box.node is None:
            assert box.value is not None
            kind = "Input of the model" if not self._before(index) else "Output of the model"
            self._head(shown(box.title), kind)
            self._fields([("Type", readable_type(box.value.type) or "unknown")])
        else:
            self._head(shown(box.node.operator), _kind(box, box.node))
            self._show_node(box.node)
            self._blocks(box)
        self._neighbours("Reads from", self._before(index))
        self._neighbours("Feeds", self._after(index))

    def _show_node(self, node: Node) -> None:
        fields: list[tuple[str, str]] = [("Name", breakable(shown(node.name)))]
        if is_folded_block(node) and (alike := alike_text(node)):
            fields.append(("Repeated", f"{alike} with the same operators"))
        fields += [(kind.title, text) for kind in KINDS if (text := self._cost(node, kind))]
        if count := self._parameters(node):
            fields.append(("Parameters", short_count(count)))
        self._fields(fields)
        for title, names in (("Inputs", node.inputs), ("Outputs", node.outputs)):
            if names:
                self._section(title)
                self._values(self._typed(names))
        if node.attributes and not is_folded_block(node):
            self._section("Attributes")
            self._fields(
                (name, _attribute(node.attributes[name])) for name in sorted(node.attributes)
            )
        if node.doc:
            self._section("Note")
            self.body.addWidget(label(node.doc, "dim", wrap=True))
        if not is_folded_block(node):
            self._show_details(node)

    def _show_details(self, node: Node) -> None:
        """Show what loads on demand: values of constants, the operator's documentation."""
        if self._variant is None:
            self.body.addSpacing(GRID)
            self.body.addWidget(
                label("Types, costs and values appear when loading finishes.", "dim", wrap=True)
            )
            return
        model = f"#{self._variant.id}"
        constants = self._constants(node)
        if constants:
            self._section("Values")
        for name in constants[:MOST]:
            self._weights.append(ConstantDetail(self.constants, self._theming, model, name))
            self.body.addWidget(self._weights[-1])
        version = self._opsets.get(node.domain) or self._opsets.get("ai.onnx", 1)
        operator = f"{node.domain}:{node.operator}" if node.domain else node.operator
        self.body.addSpacing(4)
        self.body.addWidget(line())
        text = OperatorDetail(self.documentation, model, operator, version)
        text.toggle.clicked.connect(self._remember_documentation)
        if self._reads_texts:
            text.unfold()
        self.body.addWidget(text)

    def _remember_documentation(self, is_open: bool) -> None:
        """Keep the documentation open, or closed, for the next operator."""
        self._reads_texts = is_open

    def _constants(self, node: Node) -> list[str]:
        """Return the constants that a node reads, or is."""
        assert self._scene is not None
        if node.operator == "Constant":
            return [name for name in node.outputs if name]
        known = self._scene.graph.initializers
        return list(dict.fromkeys(name for name in node.inputs if name in known))

    def _parameters(self, node: Node) -> int:
        """Return how many numbers the constants of a node hold."""
        assert self._scene is not None
        known = self._scene.graph.initializers
        shapes = (known[name].type.shape for name in dict.fromkeys(node.inputs) if name in known)
        return sum(
            math.prod(size for size in shape or () if isinstance(size, int)) for shape in shapes
        )

    def _cost(self, node: Node, kind: CostKind) -> str:
        costs = self._costs[kind.title]
        value = cost_of(node, costs)
        if not value:
            return ""
        percent = 100 * value / sum(costs.values())
        share = f"{percent:.1f} %" if percent >= 0.05 else "under 0.1 %"
        return f"{kind.text(value)} ({share} of the model)"

    def _typed(self, names: Sequence[str]) -> list[tuple[str, str]]:
        """Return names with types; of very many the first."""
        assert self._scene is not None
        graph = self._scene.graph
        rows = []
        for name in names[:MOST]:
            if not name:
                rows.append(("(left out)", ""))
                continue
            constant = "constant" if name in graph.initializers else ""
            kind = readable_type(graph.type_of(name)) or "type unknown"
            facts = (kind, constant, graph.notes.get(name))
            rows.append((shown(name), " · ".join(filter(None, facts))))
        if len(names) > MOST:
            rows.append(("…", f"{len(names) - MOST:,} more"))
        return rows

    def _blocks(self, box: Box) -> None:
        """Add a button for each block that can be opened."""
        if not box.opens or box.node is None:
            return
        if is_folded_block(box.node):
            self._section("Block")
            self.body.addWidget(button("Expand", self._unfold, "link"))
            self.body.addWidget(button("Open block", partial(self._enter, box.opens[0]), "link"))
            return
        self._section("Open")
        for name in box.opens:
            block = box.node.blocks.get(name)
            size = f" ({figures.count(len(block.nodes), 'node')})" if block is not None else ""
            self.body.addWidget(button(f"{name}{size}", partial(self._enter, name), "link"))

    # Pieces

    def _head(self, title: str, note: str) -> None:
        head = ElidedLabel(title)
        head.setProperty("role", "heading")
        self.body.addWidget(head)
        self.body.addWidget(label(note, "dim", wrap=True))
        self.body.addSpacing(4)

    def _section(self, title: str) -> None:
        self.body.addSpacing(4)
        self.body.addWidget(line())
        self.body.addWidget(label(title, "section"))

    def _fields(self, fields: Iterable[tuple[str, str]]) -> None:
        self.body.addWidget(FieldList(fields, name_width=NAME_WIDTH))

    def _values(self, values: Iterable[tuple[str, str]]) -> None:
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(4)
        grid.setHorizontalSpacing(GRID)
        row = 0
        for row, (name, kind) in enumerate(values):
            title, text = ElidedLabel(name), label(kind.replace("×", "×\u200b"), "mono", wrap=True)
            title.setMinimumWidth(NAME_WIDTH)
            grid.addWidget(title, row, 0)
            grid.addWidget(text, row, 1)
        grid.setColumnStretch(0, 2)
        grid.setColumnStretch(1, 3)
        self.body.addWidget(holder)

    def _neighbours(self, title: str, boxes: list[int]) -> None:
        assert self._scene is not None
        if not boxes:
            return
        self._section(title)
        column = QVBoxLayout()
        column.setSpacing(0)
        for index in boxes[:12]:
            box = self._scene.boxes[index]
            name = f"Go to {box.title} {shown(box.name)}"
            text = f"{box.title} {_tail(box.name)}"
            column.addWidget(ElidedButton(text, partial(self._go, index), name))
        if len(boxes) > 12:
            column.addWidget(label(f"{len(boxes) - 12} more", "small"))
        self.body.addLayout(column)

    def _before(self, index: int) -> list[int]:
        return list(dict.fromkeys(self._scene.before(index))) if self._scene else []

    def _after(self, index: int) -> list[int]:
        return list(dict.fromkeys(self._scene.after(index))) if self._scene else []


def _tail(name: str) -> str:
    """Return the last part of a name, shortened: the whole is in the tooltip."""
    last = shown(name.rstrip("/").rsplit("/", 1)[-1])
    return last if len(last) <= 24 else f"{last[:11]}…{last[-11:]}"


def _kind(box: Box, node: Node) -> str:
    """Return the kind of a box: the family of its operator, or a block with its number of nodes."""
    if is_folded_block(node):
        return f"Block of {len(nodes_within(node))} nodes"
    return f"{TITLES[box.family]} · {node.domain}" if node.domain else TITLES[box.family]


def _attribute(value: AttributeValue) -> str:
    text = ", ".join(str(item) for item in value) if isinstance(value, tuple) else str(value)
    if isinstance(value, float):
        text = f"{value:.6g}"
    short = text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"
    return breakable(shown(short))
