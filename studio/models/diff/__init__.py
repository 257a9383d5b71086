"""What changed between two variants of a model, told node by node."""

from studio.models.diff.compare import Diff, Inserted, Pair, Removed, compare

__all__ = ["Diff", "Inserted", "Pair", "Removed", "compare"]
