"""Layered layout in pure Python, deterministic and fast enough for 50,000 nodes.

The steps, a module each: ``boxes`` (what is drawn), ``cycles``
(damaged models), ``layers`` (longest path, chains of dummies
for long edges), ``chunks`` (cut where a layer has one node; identical chunks are laid out once),
``ordering`` (sweeps by means and medians from several first orders,
crossings counted with a Fenwick tree), ``coordinates``
(Brandes and Koepf), ``rails`` (values that are read far below), ``placing`` (pixels and bends),
``nested`` (blocks that are unfolded in place).
"""

from studio.models.layout.nested_layout import HEADER, Frame, Unfolded, block_paths, unfold
from studio.models.layout.placement import lay_out

__all__ = ["HEADER", "Frame", "Unfolded", "block_paths", "lay_out", "unfold"]
