"""What changed between two graphs, such as a model and what was quantized from it."""

from studio.models.diff.compare import Diff, compare

__all__ = ["Diff", "compare"]
