"""Streaming: answers in short form, the pace of frames, boxes back in the picture."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy
import pytest

from studio.api import InvalidData, TargetError, Unavailable, UsageError
from studio.datasets import Preprocess
from studio.datasets.video import opencv
from studio.models.answers import OutputReader
from studio.monitoring.endpoint.client import decode, encode
from studio.monitoring.stream.frames import Frame, PreparedFrame
from studio.monitoring.stream.pace import LatestFrames, in_turn
from studio.monitoring.stream.run import thumbnail
from studio.monitoring.stream.step import located


class Numbers:
    """A source of so many frames, in files or from a camera."""

    title = "numbers"
    fps = 0.0

    def __init__(self, count: int, is_live: bool = False) -> None:
        self.count = count
        self.is_live = is_live

    def __iter__(self) -> Iterator[Frame]:
        for number in range(self.count):
            yield Frame(str(number), lambda: PreparedFrame({}, None))


def nothing() -> None:
    """Nobody cancels."""


def test_classes_are_named_and_logits_become_probabilities() -> None:
    scores = numpy.array([[0.0, 3.0, 1.0]], dtype=numpy.float32)
    answer = OutputReader(labels=["cat", "dog"]).read({"scores": scores})
    assert [entry.label for entry in answer.classes] == ["dog", "2", "cat"]
    assert sum(entry.score for entry in answer.classes) == pytest.approx(1, abs=1e-3)
    assert answer.to_json().keys() == {"kind", "classes"}


def test_text_leaves_out_blanks_and_repetitions() -> None:
    steps = numpy.zeros((1, 6, 4), dtype=numpy.float32)
    for position, character in enumerate([1, 1, 0, 1, 2, 3]):
        steps[0, position, character] = 0.9
    answer = OutputReader(dictionary=["a", "b"]).read({"out": steps})
    assert (answer.kind, answer.text, answer.score) == ("text", "aab ", 0.9)


def test_boxes_lie_where_they_are_in_the_picture() -> None:
    # 100 x 200 pixels fitted into 100 x 100: half the size, 25 rows of padding above.
    preprocess = Preprocess(resize="fit", height=100, width=100, pad_align="center")
    placement = preprocess.placement(100, 200)
    rows = numpy.array([[[0, 25, 50, 75, 0.9, 1], [0, 0, 9, 9, 0.1, 0]]], dtype=numpy.float32)
    answer = OutputReader(labels=["a", "b"]).read({"boxes": rows}, placement)
    (box,) = answer.boxes
    assert (box.box, box.label, box.score) == ((0, 0, 0.5, 1), "b", 0.9)
    relative = rows / numpy.array([100, 100, 100, 100, 1, 1], dtype=numpy.float32)
    assert OutputReader(labels=["a", "b"]).read({"boxes": relative}, placement) == answer


def test_boxes_scores_and_labels_may_be_outputs_of_their_own() -> None:
    placement = Preprocess(resize="stretch", height=10, width=10).placement(20, 40)
    outputs = {
        "labels": numpy.array([[3]]),
        "boxes": numpy.array([[[2, 4, 6, 8]]], dtype=numpy.float32),
        "scores": numpy.array([[0.8]], dtype=numpy.float32),
    }
    (box,) = OutputReader().read(outputs, placement).boxes
    assert (box.box, box.label) == ((0.2, 0.4, 0.6, 0.8), "3")


@pytest.mark.parametrize(
    "preprocess",
    [
        Preprocess(),
        Preprocess(resize="stretch", height=7, width=9),
        Preprocess(resize="fit", height=32, width=32, pad_align="center", multiple=16),
        Preprocess(resize="cover", height=16, width=16, crop_height=16, crop_width=16),
        Preprocess(resize="height", height=12, min_width=64),
    ],
)
def test_placement_agrees_with_what_is_prepared(preprocess: Preprocess) -> None:
    picture = numpy.full((24, 60, 3), 255, dtype=numpy.uint8)
    array = preprocess.apply(picture)[0]
    place = preprocess.placement(24, 60)
    assert array.shape[1:] == (place.height, place.width)
    rows, columns = numpy.nonzero(array[0])
    assert rows.min() == max(place.top, 0)
    assert rows.max() + 1 == min(place.top + place.rows, place.height)
    assert columns.min() == max(place.left, 0)
    assert columns.max() + 1 == min(place.left + place.columns, place.width)


def test_other_outputs_are_told_in_a_line() -> None:
    answer = OutputReader().read({"state": numpy.zeros((2, 8, 8), dtype=numpy.float32)})
    assert answer.values == ("state: 2×8×8, 0 to 0, mean 0",)


def test_in_turn_drops_nothing_and_begins_again() -> None:
    assert [c.frame.name for c in in_turn(Numbers(3), again=False)] == ["0", "1", "2"]
    endless = in_turn(Numbers(2), again=True)
    assert [next(endless).frame.name for _ in range(5)] == ["0", "1", "0", "1", "0"]


def test_newest_frame_wins_when_nobody_takes_them() -> None:
    with LatestFrames(Numbers(50), 1000, again=False) as latest:
        taken = []
        for captured in latest.frames(nothing):
            taken.append(captured.frame.name)
            if len(taken) == 1:  # a slow answer, until the source has ended
                assert latest._ended.wait(10)
        assert taken[-1] == "49"
        assert len(taken) + latest.dropped == 50
        assert latest.dropped >= 47


def test_no_more_frames_are_taken_than_are_asked_for() -> None:
    with LatestFrames(Numbers(3), 1000, again=True, most=40) as latest:
        taken = []
        for captured in latest.frames(nothing):
            taken.append(captured.frame.name)
            time.sleep(0.01)  # an answer that is slower than the pace
        assert len(taken) + latest.dropped == 40
        assert latest.dropped
        assert taken[-1] == "0"  # the fortieth


def test_pace_is_kept() -> None:
    began = time.perf_counter()
    with LatestFrames(Numbers(11), 100, again=False) as latest:
        taken = [captured.at for captured in latest.frames(nothing)]
    assert taken[-1] - began >= 0.099
    assert not [t for t in threading.enumerate() if t.name == "frames"]


def test_failure_of_a_source_reaches_whoever_takes_frames() -> None:
    class Broken(Numbers):
        def __iter__(self) -> Iterator[Frame]:
            yield from super().__iter__()
            raise InvalidData("The film is torn.")

    with (
        LatestFrames(Broken(1), 100, again=False) as latest,
        pytest.raises(InvalidData, match="torn"),
    ):
        list(latest.frames(nothing))


def test_answers_are_read_with_binary_and_json_data() -> None:
    array = numpy.arange(6, dtype=numpy.float32).reshape(2, 3)
    head, body = encode({"x": array})
    found = decode(head.replace(b'"inputs"', b'"outputs"') + body, len(head) + 1)
    assert numpy.array_equal(found["x"], array)
    text = b'{"outputs":[{"name":"t","datatype":"BYTES","shape":[1],"data":["hi"]}]}'
    assert decode(text, 0)["t"].tolist() == ["hi"]
    with pytest.raises(TargetError):
        decode(b'{"outputs":[{"name":"t","datatype":"FP32","shape":[9],"data":[1]}]}', 0)


def test_thumbnail_is_small_and_tells_the_real_size() -> None:
    noise = numpy.random.default_rng(0).integers(0, 255, (1080, 1920, 3), dtype=numpy.uint8)
    picture, *size = thumbnail(noise)
    assert size == [1920, 1080]
    assert len(picture) < 200_000


def test_sources_are_found_or_refused_in_a_sentence(tmp_path: Path) -> None:
    assert located("0") == "0"
    assert located("rtsp://host/stream") == "rtsp://host/stream"
    with pytest.raises(UsageError, match="does not exist"):
        located(str(tmp_path / "none.png"))


def test_missing_opencv_is_a_sentence_with_the_install_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "cv2", None)
    with pytest.raises(Unavailable) as caught:
        opencv()
    assert "pip install 'opencv-python-headless>=4.10'" in caught.value.hint
