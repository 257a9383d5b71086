"""Blocks of a graph: nodes grouped by scope names and by repeated structure.

``scopes`` reads names, ``units`` groups the nodes of one level so that no cycle comes about,
``repeats`` finds what recurs where names say nothing, ``outline`` is the tree of blocks,
``block_graph`` the graph of blocks that is drawn.
"""

from studio.models.blocks.block_graph import folded, is_block, retyped
from studio.models.blocks.outline import Block, Outline, folds, outline
from studio.models.walk import INSIDE

__all__ = ["INSIDE", "Block", "Outline", "folded", "folds", "is_block", "outline", "retyped"]
