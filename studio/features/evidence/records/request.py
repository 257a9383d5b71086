"""What was measured for a folder of evidence, so that it can be measured again."""

from __future__ import annotations

from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class MeasurementRequest:
    """The options of the measurements.

    Attributes:
        data: Name of the labelled data; empty where nothing was measured.
        digest: SHA-256 of the data.
        corrupted: Samples of the measurement of robustness; 0 where it was not possible.
    """

    data: str
    digest: str
    samples: int
    by: tuple[str, ...]
    explanations: int
    evaluations: int
    corrupted: int = 0
