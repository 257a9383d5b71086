"""Figures as the window writes them."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from studio.gui import figures


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (figures.size(0), "0 B"),
        (figures.size(16_500_000), "16.5 MB"),
        (figures.size(35_429), "35.4 kB"),
        (figures.megabytes(118), "118 MB"),
        (figures.megabytes(7620), "7.6 GB"),
        (figures.milliseconds(18.94), "18.9"),
        (figures.milliseconds(0.0294), "0.029"),
        (figures.milliseconds(132.6), "133"),
        (figures.seconds(0.42), "0.42 s"),
        (figures.seconds(70), "1 min 10 s"),
        (figures.seconds(6 * 86400), "6 days"),
        (figures.ratio(0.638), "0.64"),
        (figures.ratio_with_interval(0.64, 0.628, 0.651), "0.64 [0.63–0.65]"),
        (figures.ratio_with_interval(0.832, 0.8293, 0.8341), "0.832 [0.829–0.834]"),
        (figures.ratio_with_interval(0.9, None, None), "0.90"),
        (figures.error(0.0041), "4e-3"),
        (figures.error(0), "0"),
        (figures.rate(31.04), "31.0"),
        (figures.rate(212.4), "212"),
        (figures.whole(12345), "12\u2009345"),
        (figures.signed(-0.5, 1, "pt"), "−0.5 pt"),
        (figures.signed(-0.04, 1, "pt"), "±0.0 pt"),
        (figures.metric_change(0.981, 0.976), "98.1 → 97.6 % (−0.5 pt)"),
        (figures.metric_change(31.2, 33.0), "31.2 → 33 (+1.800)"),
        (figures.count(1, "variant"), "1 variant"),
        (figures.count(3, "variant"), "3 variants"),
    ],
)
def test_figures(written: str, expected: str) -> None:
    assert written == expected


@pytest.mark.parametrize("nothing", [None, "", "12", True, math.nan, math.inf])
def test_what_is_no_number_is_a_dash(nothing: object) -> None:
    for write in (figures.size, figures.milliseconds, figures.ratio, figures.error, figures.rate):
        assert write(nothing) == figures.NOTHING


def test_age_of_a_time_stamp() -> None:
    now = datetime(2026, 11, 18, 14, 2, tzinfo=UTC)
    assert figures.age("2026-11-18T13:52:00+00:00", now) == "10 min"
    assert figures.age("2026-11-12T14:02:00", now) == "6 days"
    assert figures.age("yesterday", now) == figures.NOTHING
