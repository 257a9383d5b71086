"""The step that numbers objects."""

from __future__ import annotations

import pytest

from studio.runtime.apps.settings import AppError
from tests.unit.runtime.apps.walks import stamp, standing, step


def test_tracks_have_numbers_and_the_boxes_of_the_detector() -> None:
    one = step("track", {})
    seen = standing([(100, 100), (300, 200)], labels=["person", "car"])
    tracks = one.process(stamp(0.0), seen).value
    assert tracks.ids.tolist() == [1, 2]
    assert tracks.ids.dtype == "int64"
    assert (tracks.corners == seen.corners).all()
    assert tracks.labels == ("person", "car")


def test_objects_that_are_not_confirmed_are_left_out() -> None:
    one = step("track", {})
    one.process(stamp(0.0), standing([(100, 100)]))
    tracks = one.process(stamp(0.1), standing([(500, 100), (102, 100)])).value
    assert tracks.ids.tolist() == [1]
    assert tracks.corners[0, 3] == 100


def test_a_frame_without_objects_has_no_tracks() -> None:
    tracks = step("track", {}).process(stamp(0.0), standing([])).value
    assert tracks.size == 0
    assert tracks.ids.shape == (0,)


def test_by_votes_tracks_have_the_class_of_most_of_their_boxes() -> None:
    one = step("track", {"vote": True})
    for at, label in enumerate(["car", "truck", "car", "bus"]):
        seen = standing([(900, 100), (100, 100)], labels=["person", label], scores=[0.3, 0.9])
        tracks = one.process(stamp(at / 10), seen).value
    assert tracks.labels == ("car",)
    assert tracks.ids.tolist() == [1]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"low": 0.7}, "steps.gate: low and threshold are from 0 to 1, low the smaller one."),
        ({"overlap": 0.0}, "steps.gate: overlap is above 0 and at most 1."),
        ({"keep_s": 61.0}, "steps.gate: keep_s is above 0 and at most 60 seconds."),
        ({"confirm": 0}, "steps.gate: confirm is from 1 to 100 frames."),
        ({"keep": 3.0}, "steps.gate has no setting 'keep'. Did you mean keep_s?"),
    ],
)
def test_wrong_settings_are_refused_in_one_sentence(
    settings: dict[str, object], sentence: str
) -> None:
    with pytest.raises(AppError) as caught:
        step("track", settings)
    assert str(caught.value) == sentence
