"""A graph as SVG."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from studio.api import Graph, GraphLayout, Node, TensorType
from studio.models.drawing.overlay import Overlay, short
from studio.models.families import family
from studio.models.layout.boxes import detail

_STYLE = """
.edge{fill:none;stroke:#5d6778;stroke-width:1.2}
text{font:11px 'DejaVu Sans',system-ui,sans-serif;text-anchor:middle;fill:#fff}
.title{font-size:13px;font-weight:600}
.terminal{fill:#e6e9ef;stroke:#98a2b3}.terminal~text{fill:#1a1f29}
.matrix{fill:#1f5fa8}.activation{fill:#8a4b1f}.normalization{fill:#5a4a9c}
.pooling{fill:#1f6e5c}.shape{fill:#4a5568}.quantize{fill:#8f2f5b}.control{fill:#7a1f2b}
.elementwise{fill:#39506b}.other{fill:#3f4a3c}.unmeasured{fill:#4a5568}
"""


def svg(graph: Graph, layout: GraphLayout, overlay: Overlay | None = None) -> str:
    """The drawing as one SVG document."""
    width, height = layout.size
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}">',
        f"<title>{_escape(graph.name)}</title><style>{_STYLE}</style>",
        '<g class="edges">',
        *(f'<path class="edge" d="{path}"/>' for path in _edges(layout)),
        "</g>",
        *_boxes(graph, layout, overlay),
    ]
    if overlay is not None:
        parts.append(_legend(overlay))
    return "\n".join([*parts, "</svg>\n"])


def _edges(layout: GraphLayout) -> Iterator[str]:
    """Curves from the bottom of a box to the top of another, through the bends."""
    for (source, target, _), bends in zip(layout.edges, layout.bends, strict=True):
        x = layout.x[source] + layout.width[source] / 2
        y = layout.y[source] + layout.height[source]
        path = [f"M{x:g} {y:g}"]
        end = (layout.x[target] + layout.width[target] / 2, layout.y[target])
        points = [*zip(bends[::2], bends[1::2], strict=True), end]
        for next_x, next_y in points:
            if next_x == x:
                path.append(f"V{next_y:g}")
            else:
                middle = (y + next_y) / 2
                path.append(f"C{x:g} {middle:g} {next_x:g} {middle:g} {next_x:g} {next_y:g}")
            x, y = next_x, next_y
        yield "".join(path)


def _boxes(graph: Graph, layout: GraphLayout, overlay: Overlay | None) -> Iterator[str]:
    index = 0
    for value in graph.inputs:
        yield _box(layout, index, "terminal", value.name, str(value.type or ""), "input")
        index += 1
    for node in graph.nodes:
        if layout.width[index]:
            yield _node(graph, node, layout, index, overlay)
        index += 1
    for value in graph.outputs:
        yield _box(layout, index, "terminal", value.name, str(value.type or ""), "output")
        index += 1


def _node(
    graph: Graph, node: Node, layout: GraphLayout, index: int, overlay: Overlay | None
) -> str:
    kind, second = family(node.operator), detail(node)
    colours = None
    if overlay is not None:
        colours = overlay.colours(node.name)
        kind = "unmeasured"
        second = overlay.text(node.name) or second
    return _box(layout, index, kind, node.operator, second, _tooltip(graph, node), colours)


def _box(
    layout: GraphLayout,
    index: int,
    kind: str,
    title: str,
    text: str,
    tooltip: str,
    colours: tuple[str, str] | None = None,
) -> str:
    x, y, width = layout.x[index], layout.y[index], layout.width[index]
    middle = x + width / 2
    fill = f' style="fill:{colours[0]}"' if colours else ""
    ink = f' style="fill:{colours[1]}"' if colours else ""
    title, text = _fit(title, width / 8.2), _fit(text, width / 6.4)
    return (
        f'<g><title>{_escape(tooltip)}</title><rect class="{kind}" x="{x:g}" y="{y:g}" '
        f'width="{width:g}" height="{layout.height[index]:g}" rx="6"{fill}/>'
        f'<text class="title" x="{middle:g}" y="{y + 19:g}"{ink}>{_escape(title)}</text>'
        f'<text x="{middle:g}" y="{y + 35:g}"{ink}>{_escape(text)}</text></g>'
    )


def _tooltip(graph: Graph, node: Node) -> str:
    lines = [f"{node.operator}  {node.name}"]
    lines += [f"{name} = {value}" for name, value in sorted(node.attributes.items())]
    for arrow, names in (("in", node.inputs), ("out", node.outputs)):
        lines += [f"{arrow}: {name}  {_type(graph.type_of(name))}" for name in names if name]
    return "\n".join(line if len(line) < 200 else line[:200] + "…" for line in lines[:40])


def _type(kind: TensorType | None) -> str:
    return "" if kind is None else str(kind)


def _fit(text: str, characters: float) -> str:
    limit = max(int(characters) - 2, 4)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _legend(overlay: Overlay) -> str:
    low, high = overlay.bounds
    text = f"{overlay.title} {short(low)} … {short(high)} {overlay.unit}".strip()
    return f'<text x="8" y="18" style="text-anchor:start;fill:#5d6778">{_escape(text)}</text>'


def _escape(text: str) -> str:
    """Text for XML: names in a model may hold markup and control characters."""
    return escape("".join(c if c >= " " or c in "\n\t" else "\ufffd" for c in text))
