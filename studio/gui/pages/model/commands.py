"""What the command palette offers on the Model page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import partial

from studio.gui.graph.keyboard import DIRECTION, DOCK, SHAPES
from studio.gui.names import shown
from studio.gui.pages.model.block_expansion import BlockExpansion
from studio.gui.pages.model.compare_view import CompareView
from studio.gui.pages.model.drawer import TITLES
from studio.gui.pages.model.graph_export import FORMATS, GraphExport
from studio.gui.pages.model.graph_page import GraphPage
from studio.gui.shell import PaletteEntry

_MOST = 2_000
"""Boxes that the palette lists one by one; of a larger graph it lists the operators."""

_LAST = 3
"""Weight of nodes among equal matches: behind everything else."""


def add_commands(
    page: GraphPage, unfolding: BlockExpansion, export: GraphExport, compare: CompareView
) -> None:
    """Add them to a page that is built; keys of the canvas are named in the texts."""
    canvas = page.pane.canvas
    page.add_command("Find a node", page.start_search, "Ctrl+F")
    page.add_command("Show the whole graph (F)", canvas.fit)
    page.add_command("Show the graph at 100 % (0)", partial(canvas.zoom_to, 1.0))
    page.add_command("Highlight ancestors (A)", partial(canvas.trace, up=True))
    page.add_command("Highlight descendants (D)", partial(canvas.trace, down=True))
    both = partial(canvas.trace, up=True, down=True)
    page.add_command("Highlight ancestors and descendants (S)", both)
    page.add_command("Clear highlight (X)", canvas.trace)
    for text, wish in (
        ("Shapes on the edges (E)", SHAPES),
        ("Graph from left to right, or from top to bottom (L)", DIRECTION),
        ("Overview and legend of the graph (M)", DOCK),
    ):
        page.add_command(text, partial(page.pane.bar.toggle, wish))
    page.add_command("Show the keys of the graph (?)", page.pane.help.open)
    page.add_command("Show blocks or all nodes (B)", page.toggle_detail)
    page.add_command("Expand or collapse the block (U)", unfolding.toggle)
    page.add_command("Expand or collapse all blocks (Shift+U)", unfolding.toggle_all)
    page.add_command("Leave the block (Backspace)", page.leave)
    for number, title in enumerate(("Show the graph", "Show the summary")):
        page.add_command(title, partial(page.show_view, number))
    for number, title in enumerate(TITLES):
        page.add_command(title, partial(page.open_tool, number))
    for suffix, is_whole, title in FORMATS:
        run = partial(export.choose_file, suffix, whole=is_whole)
        page.add_command(f"Export the graph: {title}", run)
    page.add_command("Compare with another variant", partial(page.show_view, 2))
    page.add_command("Next difference (N)", partial(compare.step, 1))
    page.add_command("Previous difference (P)", partial(compare.step, -1))


def node_entries(page: GraphPage) -> Iterable[PaletteEntry]:
    """Each node in sight; or of a large graph each operator, whose nodes are searched for then."""
    scene, view = page.pane.canvas.scene, page.view
    if scene is None or view is None:
        return
    if len(scene) > _MOST:
        for name, count in Counter(node.operator for node in view.model.graph.nodes).items():
            run = partial(page.start_search, name)
            yield PaletteEntry(shown(name), "Node", run, detail=f"find all {count:,}", weight=_LAST)
        return
    for index, box in enumerate(scene.boxes):
        if box.node is not None and scene.width[index]:
            run = partial(page.show_box, index)
            yield PaletteEntry(box.title, "Node", run, detail=shown(box.name), weight=_LAST)
