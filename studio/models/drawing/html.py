"""A graph as one HTML file that can be panned, zoomed and searched; it loads nothing."""

from __future__ import annotations

from html import escape

from studio.api import Graph, GraphLayout
from studio.models.drawing.overlay import Overlay
from studio.models.drawing.svg import svg

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>{title}</title>
<style>
html,body{{margin:0;height:100%;overflow:hidden;background:#f3f5f8;font:13px system-ui,sans-serif}}
#view{{width:100%;height:100%;cursor:grab;touch-action:none}}#view:active{{cursor:grabbing}}
#view>svg{{transform-origin:0 0;display:block}}
#bar{{position:fixed;top:12px;left:12px;background:#fff;border:1px solid #d6dbe3;border-radius:8px;
padding:8px 12px;color:#1a1f29}}#bar input{{margin-left:12px;width:180px}}
.found rect{{stroke:#2368e0;stroke-width:3}}
</style></head><body>
<div id="bar"><b>{title}</b> &middot; {nodes} nodes
<input type="search" placeholder="Find operator or name" aria-label="Find operator or name"></div>
<div id="view">{drawing}</div>
<script>{script}</script></body></html>
"""

_SCRIPT = """
(function () {
  const view = document.getElementById("view"), svg = view.firstElementChild;
  const full = svg.viewBox.baseVal, boxes = [...svg.querySelectorAll(":scope > g:not(.edges)")];
  let scale = 1, left = (view.clientWidth - full.width) / 2, top = 40, held = null, next = 0;
  const draw = () => {
    svg.style.transform = `translate(${left}px,${top}px) scale(${scale})`;
  };
  view.addEventListener("wheel", (event) => {
    event.preventDefault();
    const factor = Math.exp(-event.deltaY * 0.0015);
    const after = Math.min(4, Math.max(0.02, scale * factor)), ratio = after / scale;
    left = event.clientX - (event.clientX - left) * ratio;
    top = event.clientY - (event.clientY - top) * ratio;
    scale = after;
    draw();
  }, { passive: false });
  view.addEventListener("pointerdown", (event) => {
    held = [event.clientX - left, event.clientY - top];
    view.setPointerCapture(event.pointerId);
  });
  view.addEventListener("pointermove", (event) => {
    if (held) { left = event.clientX - held[0]; top = event.clientY - held[1]; draw(); }
  });
  view.addEventListener("pointerup", () => { held = null; });
  const field = document.querySelector("input");
  field.addEventListener("input", () => { next = 0; });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const wanted = field.value.toLowerCase();
    document.querySelectorAll(".found").forEach((box) => box.classList.remove("found"));
    const hits = wanted
      ? boxes.filter((box) => box.textContent.toLowerCase().includes(wanted)) : [];
    if (!hits.length) return;
    const box = hits[next++ % hits.length], rect = box.querySelector("rect");
    box.classList.add("found");
    left = view.clientWidth / 2 - (rect.x.baseVal.value + rect.width.baseVal.value / 2) * scale;
    top = view.clientHeight / 2 - rect.y.baseVal.value * scale;
    draw();
  });
  draw();
})();
"""


def html(title: str, graph: Graph, layout: GraphLayout, overlay: Overlay | None = None) -> str:
    """The drawing as one HTML document."""
    return _PAGE.format(
        title=escape(title),
        nodes=f"{len(graph.nodes):,}",
        drawing=svg(graph, layout, overlay),
        script=_SCRIPT,
    )
