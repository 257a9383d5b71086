"""A graph as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise

from studio.api import Graph, GraphLayout
from studio.models.drawing.boxes import DrawnBox, drawn_boxes, edge_points, frame_title
from studio.models.drawing.colours import EDGE, FILLS, GROUND, INK
from studio.models.drawing.overlay import Overlay, legend, on_nodes
from studio.models.layout import Frame

_ROW_LEFT = 10.0

_STYLE = f"""
.edge{{fill:none;stroke:{EDGE};stroke-width:1.2}}
text{{font:11px 'DejaVu Sans',system-ui,sans-serif;text-anchor:middle;fill:#fff}}
.row{{text-anchor:start}}
.title{{font-size:13px;font-weight:600}}
.frame{{fill:{GROUND};fill-opacity:.55;stroke:{EDGE}}}
.name{{text-anchor:start;fill:{INK}}}
.terminal{{stroke:#98a2b3}}.terminal~text{{fill:{INK}}}
""" + "".join(f".{kind}{{fill:{fill}}}" for kind, fill in FILLS.items())


def svg(
    graph: Graph,
    layout: GraphLayout,
    overlay: Overlay | None = None,
    frames: Sequence[Frame] = (),
    *,
    across: bool = False,
) -> str:
    """Return the drawing as one SVG document.

    Args:
        frames: Around blocks that are unfolded, the outer before the inner.
        across: The layout is from left to right.
    """
    width, height = layout.size
    painted = None if overlay is None else on_nodes(overlay, graph)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}">',
        f"<title>{_escape(graph.name)}</title><style>{_STYLE}</style>",
        *map(_frame, frames),
        '<g class="edges">',
        *(f'<path class="edge" d="{path}"/>' for path in _paths(layout, across)),
        "</g>",
        *(_box(box) for box in drawn_boxes(graph, layout, painted)),
    ]
    if painted is not None:
        parts.append(
            f'<text x="8" y="18" style="text-anchor:start;fill:{EDGE}">'
            f"{_escape(legend(painted))}</text>"
        )
    return "\n".join([*parts, "</svg>\n"])


def _frame(frame: Frame) -> str:
    return (
        f'<g><rect class="frame" x="{frame.x:g}" y="{frame.y:g}" width="{frame.width:g}" '
        f'height="{frame.height:g}" rx="8"/><text class="title name" x="{frame.x + 10:g}" '
        f'y="{frame.y + 20:g}">{_escape(frame_title(frame))}</text></g>'
    )


def _paths(layout: GraphLayout, across: bool) -> Iterator[str]:
    """Yield curves that leave and reach their boxes in the direction of the layout."""
    for points in edge_points(layout, across=across):
        path = [f"M{points[0][0]:g} {points[0][1]:g}"]
        for (x, y), (next_x, next_y) in pairwise(points):
            if across:
                middle = (x + next_x) / 2
                path.append(f"C{middle:g} {y:g} {middle:g} {next_y:g} {next_x:g} {next_y:g}")
            elif next_x == x:
                path.append(f"V{next_y:g}")
            else:
                middle = (y + next_y) / 2
                path.append(f"C{x:g} {middle:g} {next_x:g} {middle:g} {next_x:g} {next_y:g}")
        yield "".join(path)


def _box(box: DrawnBox) -> str:
    middle = box.x + box.width / 2
    fill = f' style="fill:{box.colours[0]}"' if box.colours else ""
    ink = f' style="fill:{box.colours[1]}"' if box.colours else ""
    return (
        f'<g><title>{_escape(box.tooltip)}</title><rect class="{box.kind}" x="{box.x:g}" '
        f'y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" rx="6"{fill}/>'
        f'<text class="title" x="{middle:g}" y="{box.y + 19:g}"{ink}>{_escape(box.title)}</text>'
        f'<text x="{middle:g}" y="{box.y + 35:g}"{ink}>{_escape(box.text)}</text>'
        f"{''.join(_rows(box, ink))}</g>"
    )


def _rows(box: DrawnBox, ink: str) -> Iterator[str]:
    for text, middle in box.placed_rows():
        yield (
            f'<text class="row" x="{box.x + _ROW_LEFT:g}" y="{middle + 4:g}"{ink}>'
            f"{_escape(text)}</text>"
        )


def _escape(text: str) -> str:
    """Escape text for XML: names may hold markup, control characters and half surrogates."""
    return escape("".join(c if _is_xml(c) else "\ufffd" for c in text))


def _is_xml(char: str) -> bool:
    code = ord(char)
    # XML 1.0 allows neither surrogates nor most control characters.
    return char in "\t\n" or (code >= 0x20 and not 0xD800 <= code <= 0xDFFF and code < 0xFFFE)
