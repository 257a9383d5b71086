"""The comparison of two models, on sessions whose outputs and times are known."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy
import pytest

from studio.api import Array, Feeds, InvalidData, Sample, Silent
from studio.evaluation.comparison import CEILING_DB, Latency, latency, output_errors


class FakeSession:
    """Gives ``change(x)`` as output ``y``."""

    input_names = ("x",)
    output_names = ("y",)

    def __init__(self, change: Callable[[Array], Array], seconds: float = 0.0) -> None:
        self._change = change
        self._seconds = seconds

    def run(self, feeds: Feeds, outputs: Sequence[str] | None = None) -> dict[str, Array]:
        end = time.process_time() + self._seconds
        while time.process_time() < end:
            pass
        return {"y": self._change(feeds["x"])}

    def close(self) -> None:
        """Nothing to free."""


SAMPLES = [Sample({"x": numpy.full((1, 4), value, numpy.float32)}) for value in (1.0, 2.0, 3.0)]
SAME = FakeSession(lambda x: x)


def errors(after: FakeSession, samples: Sequence[Sample] = SAMPLES):
    return output_errors(SAME, after, samples, len(samples), Silent())[0]


def test_sqnr_over_all_samples() -> None:
    (error,) = errors(FakeSession(lambda x: x + numpy.float32(0.1)))
    # Signal 4 * (1 + 4 + 9), noise 4 * 3 * 0.01.
    assert error.sqnr_db == pytest.approx(10 * numpy.log10(56 / 0.12), abs=1e-4)
    assert error.max_error == pytest.approx(0.1, rel=1e-5)


def test_equal_outputs_reach_the_ceiling() -> None:
    assert errors(SAME)[0].sqnr_db == CEILING_DB


def test_noise_without_a_signal_reaches_the_floor() -> None:
    silent = [Sample({"x": numpy.zeros((1, 4), numpy.float32)})]
    assert errors(FakeSession(lambda x: x + 1), silent)[0].sqnr_db == -CEILING_DB


def test_an_output_whose_size_varies_has_no_error_but_is_named() -> None:
    after = FakeSession(lambda x: x[:, : 2 if x[0, 0] == 2 else 4])
    assert output_errors(SAME, after, SAMPLES, 3, Silent()) == ((), ("y",))


def test_values_that_are_no_longer_finite_are_an_error() -> None:
    with pytest.raises(InvalidData, match="not finite"):
        errors(FakeSession(lambda x: x * numpy.float32("inf")))


def test_outputs_that_are_no_numbers_are_left_out() -> None:
    words = FakeSession(lambda x: numpy.array(["a"]))
    assert output_errors(words, words, SAMPLES, 3, Silent()) == ((), ())


def test_the_ratio_of_latencies_follows_the_times() -> None:
    slow, fast = FakeSession(lambda x: x, 0.004), FakeSession(lambda x: x, 0.002)
    found = latency(slow, fast, SAMPLES[0].feeds, Silent())
    assert found.ratio == pytest.approx(0.5, rel=0.3)
    assert found.low <= found.ratio <= found.high


@pytest.mark.parametrize(("count", "ends"), [(6, (0, 5)), (9, (1, 7)), (15, (3, 11)), (3, (0, 2))])
def test_the_interval_of_a_median_is_that_of_the_sign_test(
    count: int, ends: tuple[int, int]
) -> None:
    found = Latency.of([float(k) for k in range(count)], 1.0)
    assert (found.low, found.high) == ends
