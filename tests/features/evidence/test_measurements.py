"""How much is measured for a folder, and which differences are rounding."""

from __future__ import annotations

import pytest

from studio.features.evidence.again import _is_close
from studio.features.evidence.measurements import corrupted_samples, explained_evaluations


@pytest.mark.parametrize(
    ("samples", "seconds", "expected"), [(4, 0.0, 500), (4, 0.01, 300), (4, 1.0, 100), (0, 9, 100)]
)
def test_a_slow_model_is_explained_with_fewer_evaluations(
    samples: int, seconds: float, expected: int
) -> None:
    assert explained_evaluations(samples, seconds) == expected


def test_a_slow_model_has_fewer_corrupted_samples() -> None:
    assert corrupted_samples(2000, 0.0) == 200
    assert corrupted_samples(2000, 10.0) == 20


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("0 12.0 7.5 20.0 9.0 0.500", "0 12.0 7.5 20.0 9.0 0.500", True),
        (
            "0 12.0 7.5 20.0 9.0 0.5; 1 0 0 5 5 .5",
            "0 12.0 7.5 20.0 9.0 0.50001; 1 0 0 5 5 .5",
            True,
        ),
        ("0 12.0 7.5 20.0 9.0 0.500", "0 13.0 7.5 20.0 9.0 0.500", False),
        ("0 12.0 7.5 20.0 9.0 0.500", "0 12.0 7.5 20.0 9.0 0.500; 0 1 1 2 2 0.4", False),
        ("text", "texts", False),
    ],
)
def test_cells_of_boxes_differ_by_more_than_rounding(one: str, other: str, expected: bool) -> None:
    assert _is_close(one, other) is expected
