"""The map of one explanation, as every method returns it."""

from __future__ import annotations

from studio.features.evidence.explanations.methods.scorer import Floats
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Attribution:
    """How much a score depends on each place or feature.

    Attributes:
        values: The map: higher where the score would fall more.
        halves: The same from one half of the evaluations each; None where nothing was sampled.
        by_feature: Whether there is one value for each feature instead of each place.
        steps: Of an integral that the values are; 0 for other methods.
    """

    values: Floats
    halves: tuple[Floats, Floats] | None = None
    by_feature: bool = False
    steps: int = 0
