"""Selection of a model's graph to draw: all of it, its blocks, one part, with expanded blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from studio.api import Graph, Model, UsageError
from studio.lazy_dataclass import dataclass
from studio.models.blocks import folded, folds, outline
from studio.models.layout import Unfolded, block_paths, lay_out, unfold
from studio.models.walk import INSIDE, parts

ALL, BLOCKS = "all", "blocks"
EVERY = "all"
"""Name of all blocks in the list of blocks to expand."""

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class DrawSelection:
    """Options of a drawing.

    Attributes:
        detail: ``all`` nodes, or the ``blocks`` that they fold into.
        part: A block, branch or function by its path, or the end of it; empty for the main graph.
        opened: Blocks that are unfolded in place, by their paths or the ends of them.
        across: From left to right.
    """

    detail: str = ALL
    part: str = ""
    opened: Sequence[str] = ()
    across: bool = False


def shown(model: Model, wish: DrawSelection) -> Unfolded:
    """Return the graph to draw with its layout.

    Raises:
        UsageError: when there are no such blocks or parts.
    """
    blocks = _blocks(model.graph) if _needs_blocks(model, wish) else None
    top = model if blocks is None else replace(model, graph=blocks)
    graphs = {"": top.graph, **dict(parts(top))}
    path = _path(wish.part, graphs) if wish.part else ""
    graph = graphs[path]
    if not wish.opened:
        return Unfolded(graph, lay_out(graph, across=wish.across), across=wish.across)
    inside = list(block_paths(graph, path))
    if not inside:
        raise UsageError("The drawing has no blocks to expand.")
    if EVERY in wish.opened:
        return unfold(graph, inside, path, across=wish.across)
    known = dict.fromkeys(inside)
    opened = {_path(one, known) for one in wish.opened}
    return unfold(graph, opened, path, across=wish.across)


def _needs_blocks(model: Model, wish: DrawSelection) -> bool:
    """Return whether the main graph is folded for it; a branch or a function is there without."""
    if wish.detail == BLOCKS or wish.opened:
        return True
    return bool(wish.part) and wish.part not in dict(parts(model))


def _blocks(graph: Graph) -> Graph:
    members = outline(graph)
    if not folds(graph, members):
        raise UsageError("This graph has no blocks.", hint="--detail all")
    return folded(graph, members)


def _path(wish: str, known: Mapping[str, object]) -> str:
    """Return the path itself, the path without ``/inside``, or the one with that ending."""
    for exact in (wish, f"{wish}/{INSIDE}"):
        if exact in known:
            return exact
    ends = (f"/{wish}", f"/{wish}/{INSIDE}")
    found = [path for path in known if path.endswith(ends)]
    if len(found) == 1:
        return found[0]
    if found:
        more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
        named = ", ".join(map(_short, found[:_MOST_NAMED]))
        raise UsageError(f"{len(found)} parts end with {wish!r}: {named}{more}.")
    outermost = sorted(filter(None, known), key=lambda path: path.count(f"/{INSIDE}"))
    some = ", ".join(map(_short, outermost[:_MOST_NAMED]))
    raise UsageError(
        f"The graph has no part {wish!r}.", hint=f"It has {some} …" if some else "It has none."
    )


def _short(path: str) -> str:
    """Return a block with its own name, which shows its position."""
    return path.removesuffix(f"/{INSIDE}").rpartition(f"/{INSIDE}/")[2]
