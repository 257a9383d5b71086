"""A family of metrics, before it is written in a format."""

from __future__ import annotations

from typing import NamedTuple, Sequence, Tuple

Labels = Tuple[Tuple[str, str], ...]
"""Names and values, in the order in which they are written."""

COUNTER, GAUGE, HISTOGRAM = "counter", "gauge", "histogram"


class HistogramSample(NamedTuple):
    """Counts of one histogram.

    Attributes:
        counts: By bucket, not summed up; the last one has no upper end.
        total: Sum of the values.
    """

    labels: Labels
    counts: Sequence[int]
    total: float


class Family(NamedTuple):
    """Metrics of one name.

    Attributes:
        kind: One of ``COUNTER``, ``GAUGE`` and ``HISTOGRAM``.
        samples: Of a counter or a gauge.
        histograms: Of a histogram.
        bounds: Upper ends of its buckets.
        unit: Of its values, where the format has a place for one; ``s`` for seconds.
    """

    name: str
    kind: str
    text: str
    samples: Sequence[Tuple[Labels, float]] = ()
    histograms: Sequence[HistogramSample] = ()
    bounds: Sequence[float] = ()
    unit: str = ""
