"""Changes between two graphs, such as a model and its quantized variant."""

from studio.models.diff.compare import Diff, compare

__all__ = ["Diff", "compare"]
