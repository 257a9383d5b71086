"""Windows, alarms, films, and requests that do not fit."""

from __future__ import annotations

import json

import numpy as np
import pytest

from studio.runtime.drift.reference import WINDOW, Reference
from studio.runtime.drift.sketch import Sketch
from studio.runtime.drift.watch import LONGEST_STRIDE, DriftWatch, watch_of
from tests.unit.runtime.drift.frames import frame, pictures, reference


@pytest.fixture(scope="module")
def normal() -> Reference:
    return reference()


def fed(watch: DriftWatch, frames: np.ndarray) -> DriftWatch:
    for picture in frames:
        watch.observe(*frame(picture))
    return watch


def test_the_same_data_raise_no_alarm(normal: Reference) -> None:
    watch = fed(DriftWatch(normal), pictures(2, 100 * WINDOW))
    assert watch.fault == ""
    assert watch.alarm.windows == 100
    assert watch.alarm.raised == 0
    assert 0 <= watch.alarm.differing <= 5  # one in a hundred is expected


def test_a_shift_is_found_within_a_hundred_frames_and_named(normal: Reference) -> None:
    watch = fed(DriftWatch(normal), pictures(3, 45))
    fed(watch, pictures(4, 100, brightness=0.15))
    told = watch.status()
    assert told["alarm"]
    assert "image.brightness" in told["causes"]


def test_an_alarm_ends_when_the_data_are_as_before(normal: Reference) -> None:
    watch = fed(DriftWatch(normal), pictures(4, 3 * WINDOW, brightness=0.3))
    assert watch.alarm.on
    fed(watch, pictures(5, 4 * WINDOW))
    assert not watch.alarm.on
    assert watch.alarm.raised == 1
    assert watch.status()["causes"] == []


def test_a_small_shift_that_stays_is_found_by_three_windows_together(normal: Reference) -> None:
    watch = fed(DriftWatch(normal), pictures(6, 30 * WINDOW, brightness=0.06))
    assert watch.alarm.raised
    assert watch.alarm.differing < watch.alarm.windows / 2


def test_frames_of_a_film_are_taken_seldom(normal: Reference) -> None:
    watch = DriftWatch(normal)
    for picture in pictures(7, 60):
        fed(watch, np.repeat(picture[None], 40, axis=0))
    assert watch.stride > 1
    assert watch.stride <= LONGEST_STRIDE
    assert watch.alarm.raised == 0


def test_a_film_that_stands_still_is_no_alarm(normal: Reference) -> None:
    watch = fed(DriftWatch(normal), np.repeat(pictures(8, 1), 20 * WINDOW, axis=0))
    assert watch.alarm.raised == 0
    assert watch.stride > 1


def test_frames_of_their_own_are_all_taken_again(normal: Reference) -> None:
    watch = fed(DriftWatch(normal), np.repeat(pictures(9, 1), 4 * WINDOW, axis=0))
    slow = watch.stride
    fed(watch, pictures(10, 20 * WINDOW * slow))
    assert slow > 1
    assert watch.stride < slow


def test_two_boards_together_saw_what_one_would_have_seen(normal: Reference) -> None:
    first, second = pictures(11, 200), pictures(12, 137)
    one = DriftWatch(normal)
    fed(fed(one, first), second)
    boards = [fed(DriftWatch(normal), frames).status()["sketch"] for frames in (first, second)]
    together = Sketch.from_json(json.loads(json.dumps(boards[0])))
    together.merge(Sketch.from_json(boards[1]))
    assert together.to_json() == one.status()["sketch"]


def test_sketches_of_other_references_do_not_mix() -> None:
    with pytest.raises(ValueError, match="different references"):
        Sketch(3).merge(Sketch(4))


@pytest.mark.parametrize("content", [{}, {"counts": 3, "frames": 1}, {"counts": [[1, 2], [3]]}])
def test_what_is_no_sketch_is_refused(content: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no sketch"):
        Sketch.from_json(content)


def test_state_is_small_and_does_not_grow(normal: Reference) -> None:
    watch = fed(DriftWatch(normal), pictures(13, 4 * WINDOW))
    size = watch.state_bytes
    fed(watch, pictures(14, 40 * WINDOW))
    assert watch.state_bytes == size < 4096


def test_no_number_is_far_from_the_reference(normal: Reference) -> None:
    watch = DriftWatch(normal)
    for picture in pictures(15, 3 * WINDOW):
        inputs, outputs = frame(picture)
        watch.observe(inputs, {"scores": outputs["scores"] * np.float32("nan")})
    assert watch.alarm.on
    assert watch.status()["causes"][0].startswith("scores.")


def test_requests_of_another_size_end_the_watch_and_say_so(normal: Reference) -> None:
    watch = DriftWatch(normal)
    inputs, outputs = frame(pictures(16, 1)[0])
    watch.observe({"image": np.zeros((1, 1, 9, 9), np.float32)}, outputs)
    assert watch.fault == (
        "The requests do not fit the reference data: the size of 'image' differs from theirs."
    )
    watch.observe(inputs, outputs)
    assert watch.status()["frames"] == 0


def test_a_request_for_other_outputs_is_passed_over(normal: Reference) -> None:
    watch = DriftWatch(normal)
    inputs, outputs = frame(pictures(17, 1)[0])
    watch.observe(inputs, {})
    watch.observe(inputs, outputs)
    told = watch.status()
    assert (told["frames"], told["fault"]) == (1, "")


def test_a_large_batch_gives_a_few_frames(normal: Reference) -> None:
    watch = DriftWatch(normal)
    batch = pictures(18, 500)
    watch.observe({"image": batch}, {"scores": np.zeros((500, 5), np.float32)})
    assert watch.status()["frames"] == 4


def test_the_state_is_plain_data(normal: Reference) -> None:
    told = fed(DriftWatch(normal), pictures(19, 100)).status()
    assert json.loads(json.dumps(told)) == told
    signal = next(one for one in told["signals"] if one["name"] == "image.brightness")
    assert sum(signal["recent"]) == 3 * WINDOW
    assert sum(signal["reference"]) == normal.frames  # every frame says how bright it is
    assert len(signal["edges"]) == len(signal["reference"]) - 1


def test_a_reference_of_another_runtime_leaves_the_model_unwatched() -> None:
    watch = watch_of({"form": 99})
    assert watch is not None
    watch.observe(*frame(pictures(20, 1)[0]))
    told = watch.status()
    assert told["fault"] == (
        "The reference data cannot be used: of a form that this runtime does not know."
    )
    assert told["signals"] == []
    assert watch_of(None) is None


class Clock:
    """Seconds that a test lets pass."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_under_load_so_many_frames_a_second_are_looked_at(normal: Reference) -> None:
    clock = Clock()
    watch = DriftWatch(normal, frames_s=256.0, clock=clock)
    for picture in pictures(20, 4000):
        clock.now += 1 / 2000  # 2,000 requests a second
        watch.observe(*frame(picture))
    assert watch.spared == 8  # 250 frames of the 2,000
    assert watch.alarm.raised == 0
    for picture in pictures(21, 1000):
        clock.now += 1 / 10  # a quiet night: all are looked at again
        watch.observe(*frame(picture))
    assert watch.spared == 1


def test_a_burst_is_no_load(normal: Reference) -> None:
    clock = Clock()
    watch = DriftWatch(normal, frames_s=256.0, clock=clock)
    fed(watch, pictures(22, 3 * WINDOW))
    assert watch.spared == 1
    assert watch.sketch.frames == 3 * WINDOW


def test_a_kind_of_a_newer_studio_leaves_the_model_unwatched(normal: Reference) -> None:
    content = normal.to_json()
    content["taps"][0]["kind"] = "of another year"
    watch = watch_of(content)
    assert watch is not None
    assert "this runtime cannot look at" in watch.fault
