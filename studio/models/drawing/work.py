"""The work of the step graph, in a worker."""

from __future__ import annotations

import time
from pathlib import Path

from studio.api import Graph, UsageError
from studio.jobs.step import Job
from studio.models.analysis import analyzed
from studio.models.cost import KINDS, TITLES, UNITS, overlay
from studio.models.drawing.boxes import nodes_drawn
from studio.models.drawing.html import html
from studio.models.drawing.overlay import Overlay, read_overlay
from studio.models.drawing.selection import DrawSelection, shown
from studio.models.drawing.svg import svg
from studio.models.layout import Unfolded, lay_out
from studio.models.opening import OpenedModel, read_model
from studio.models.results import GraphResult
from studio.models.shapes import parse
from studio.models.step import GraphOptions
from studio.models.walk import parts

_DRAWINGS = (".svg", ".html", ".png")


def draw(options: GraphOptions, job: Job) -> GraphResult:
    """Draw the graph of a model as ``graph.svg``, ``.html`` or ``.png``."""
    started = time.perf_counter()
    output = options.out
    if output.suffix.lower() not in _DRAWINGS:
        raise UsageError(f"A graph is drawn as {', '.join(_DRAWINGS)}, not as {output.name}.")
    opened = read_model(Path(options.model.path), job, parse(options.shape or ()))
    job.progress(3, 4, "Laying out the graph")
    drawing = job.folder / f"graph{output.suffix.lower()}"
    if drawing.suffix == ".html":
        title = options.model.model_name or Path(options.model.path).stem
        drawn = _page(drawing, title, opened, options, job)
    else:
        drawn = _picture(drawing, opened, options, job)
    job.progress(4, 4, "Drawn")
    nodes = nodes_drawn(drawn.graph, drawn.layout)
    return GraphResult(
        nodes=nodes,
        constants=len(drawn.graph.nodes) - nodes,
        edges=len(drawn.layout.edges),
        seconds=round(time.perf_counter() - started, 3),
        output=drawing.name,
    )


def _picture(path: Path, opened: OpenedModel, options: GraphOptions, job: Job) -> Unfolded:
    """Draw what is wanted of the graph as SVG or PNG."""
    across = options.across
    selection = DrawSelection(options.detail, options.part or "", options.unfold or (), across)
    drawn = shown(opened.model, selection)
    painted = _overlay(opened, options, drawn.graph, job)
    if path.suffix == ".svg":
        text = svg(drawn.graph, drawn.layout, painted, drawn.frames, across=across)
        path.write_text(text, "utf-8")
        return drawn
    from studio.models.drawing.png import LEAST_SCALE, png, scale_of  # loads Pillow

    scale = scale_of(drawn.layout)
    if scale < LEAST_SCALE:
        raise UsageError(
            f"A picture of {len(drawn.graph.nodes):,} nodes would show them at {scale:.1%} of "
            "their size.",
            hint="Draw the blocks (--detail blocks), one part (--part), or write HTML or SVG.",
        )
    png(drawn.graph, drawn.layout, path, painted, drawn.frames, across=across)
    if scale < 1:
        job.log(f"The graph is large: the picture shows it at {scale:.0%}.")
    return drawn


def _page(path: Path, title: str, opened: OpenedModel, options: GraphOptions, job: Job) -> Unfolded:
    """Write the interactive page, which has blocks and parts of its own."""
    painted = _overlay(opened, options, opened.model.graph, job)
    costs = [one for kind in KINDS if (one := _cost(opened, kind)) is not None]
    known = [one for one in costs if painted is None or one.title != painted.title]
    text = html(title, opened.model, [*([painted] if painted else []), *known], painted)
    path.write_text(text, "utf-8")
    graph = opened.model.graph
    return Unfolded(graph, lay_out(graph))


def _cost(opened: OpenedModel, kind: str, drawn: Graph | None = None) -> Overlay | None:
    """Return a cost of the main graph's nodes, or of the nodes of a branch, body or function."""
    values = overlay(_sized(opened, drawn), kind)
    return Overlay(values, TITLES[kind], UNITS[kind]) if values else None


def _sized(opened: OpenedModel, drawn: Graph | None) -> Graph:
    """Return the sized graph to draw: the main one, or a branch, body or function."""
    graph = opened.sized.graph
    if drawn is None:
        return graph
    wanted = [node.name for node in drawn.nodes]
    inner = (one for _, one in parts(opened.sized))
    return next((one for one in inner if [n.name for n in one.nodes] == wanted), graph)


def _overlay(opened: OpenedModel, options: GraphOptions, drawn: Graph, job: Job) -> Overlay | None:
    if options.overlay:
        names = [node.name for graph in (opened.model.graph, drawn) for node in graph.nodes]
        return read_overlay(options.overlay, names)
    if options.analyzer:
        found = analyzed(options.analyzer, opened, _sized(opened, drawn), job)
        return found if found.values else None
    return None if options.cost == "none" else _cost(opened, options.cost, drawn)
