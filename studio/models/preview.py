"""What a large model looks like from afar, long before all is known of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from studio.api import Graph, Model
from studio.models.blocks import folded, folds, outline
from studio.models.graphfile import write
from studio.models.layout import lay_out

PREVIEW_FILE = "preview.json.gz"

SHOWN_FROM = 2_000
"""Nodes from which on there is a preview: a smaller model is opened as quickly without one."""


def write_preview(model: Model, folder: Path) -> Path | None:
    """Write the outermost blocks of a graph with their layout; None where they are no help.

    Args:
        model: Its types need not be known.
    """
    graph = model.graph
    if len(graph.nodes) < SHOWN_FROM:
        return None
    members = outline(graph, deep=False)
    if not folds(graph, members):
        return None
    outermost = folded(graph, members)
    path = folder / PREVIEW_FILE
    shown = replace(model, graph=_emptied(outermost), functions={})
    write(path, shown, lay_out(outermost))
    return path


def _emptied(graph: Graph) -> Graph:
    """The boxes alone: nothing inside them, no constants, no types but those of the terminals."""
    nodes = tuple(replace(node, blocks={}) if node.blocks else node for node in graph.nodes)
    return replace(graph, nodes=nodes, initializers={}, values={})
