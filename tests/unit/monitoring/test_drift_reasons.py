"""Why a row says "drifts": the sentence beside the figures, from a real watch's own status."""

from __future__ import annotations

import pytest

from studio.documents.dataclass_json import from_json
from studio.monitoring import texts
from studio.monitoring.alerts.evaluate import Rules
from studio.monitoring.drift import ENDS, drift_of, drift_state
from studio.monitoring.endpoint.results import DriftSignal
from studio.monitoring.endpoint.status import DriftReport, ServerReport, ServerStatus
from studio.monitoring.results import TargetSample
from studio.runtime.drift.reference import WINDOW, Reference
from studio.runtime.drift.watch import DriftWatch
from tests.unit.runtime.drift.frames import frame, pictures, reference


@pytest.fixture(scope="module")
def normal() -> Reference:
    return reference()


def status(normal: Reference, *windows: tuple[int, float]) -> DriftReport:
    """After windows of pictures: the seed of each, and how much brighter it is."""
    watch = DriftWatch(normal)
    for seed, brightness in windows:
        for picture in pictures(seed, WINDOW, brightness=brightness):
            watch.observe(*frame(picture))
    return from_json(DriftReport, watch.status())


def signal_of(told: DriftReport, name: str) -> DriftSignal:
    return next(one for one in drift_of(told) if one.name == name)


def test_an_alarm_of_windows_that_are_over_says_that_the_last_is_not(normal: Reference) -> None:
    told = status(normal, (4, 0.3), (5, 0.3), (6, 0.0))
    signal = signal_of(told, "image.brightness")
    assert signal.drifts
    assert not signal.is_over, "the figure alone would not say why"
    assert signal.why == (
        "It differs from the reference data in 2 of the last 3 windows, though not in the last."
    )
    state = drift_state(told)
    assert state.last == (True, True, False)
    assert state.why.endswith(f" {ENDS}")
    (alert,) = Rules().judge(ServerStatus(drift=told), ServerReport())
    assert state.why == f"{alert.text} {ENDS}", "the row and the details say the same"
    assert "in 2 of the last 3 windows, though not in the last" in alert.text


def test_a_window_alone_is_no_alarm_and_says_so(normal: Reference) -> None:
    told = status(normal, (4, 0.0), (5, 0.0), (7, 0.18))
    signal = signal_of(told, "image.brightness")
    assert (signal.drifts, signal.beyond) == (False, 1)
    assert signal.why.startswith("The last window is beyond the limit; an alarm needs two")
    assert "1 of the last 3 windows" in drift_state(told).why
    told = status(normal, (7, 0.18), (5, 0.0), (6, 0.0))
    reason = signal_of(told, "image.brightness").why
    assert reason.startswith("1 of the last 3 windows was beyond the limit")


def test_one_window_that_is_far_beyond_is_an_alarm_with_its_reason(normal: Reference) -> None:
    told = status(normal, (4, 0.0), (5, 0.0), (6, 0.25))
    assert signal_of(told, "image.brightness").why.endswith(
        "in 1 of the last 3 windows, and in these taken as one."
    )


def test_a_small_shift_that_stays_is_said_to_be_one(normal: Reference) -> None:
    watch = DriftWatch(normal)
    for picture in pictures(6, 30 * WINDOW, brightness=0.06):
        watch.observe(*frame(picture))
        told = from_json(DriftReport, watch.status())
        if any(s.drifts and not s.beyond for s in drift_of(told)):
            break
    alone = next(s for s in drift_of(told) if s.drifts and not s.beyond)
    assert "a small shift that stays" in alone.why


def test_no_window_yet_and_as_usual(normal: Reference) -> None:
    told = from_json(DriftReport, DriftWatch(normal).status())
    assert drift_of(told)[0].why == f"No window of {WINDOW} requests is full yet."
    assert drift_state(told).why.startswith("No window of")
    told = status(normal, (4, 0.0))
    assert drift_of(told)[0].why == "It is as in the reference data."


def test_an_older_runtime_that_does_not_count_windows_still_explains() -> None:
    row = {"name": "image.brightness", "statistic": 8.0, "limit": 30.4}
    document = {"alarm": True, "causes": ["image.brightness"], "signals": [row]}
    told = from_json(DriftReport, document)
    assert drift_of(told)[0].why == (
        "It differs from the reference data in one of the last windows, not in the last."
    )
    assert drift_state(told).why.startswith("image.brightness differs from the reference data")


def test_the_command_line_says_the_same(normal: Reference) -> None:
    told = status(normal, (4, 0.3), (5, 0.3), (6, 0.0))
    sample = TargetSample("roof", drift=drift_of(told), drift_state=drift_state(told))
    lines = texts.drift(sample)
    assert lines[0] == f"drift       {drift_state(told).why}"
    assert any(signal_of(told, "image.brightness").why in line for line in lines[1:])
