"""The meaning of outputs that are no boxes: classes, probabilities, texts, maps, values."""

from __future__ import annotations

import json
from typing import Any

import numpy
import pytest

from studio.models.answers import OutputReader
from studio.runtime.serve.decoders.decoder import Decoder, PictureInInput
from studio.runtime.serve.decoders.settings import TASKS, WITH_OBJECTS, OutputSettings
from studio.runtime.serve.images.preprocess import Preprocess

LABELS = ("cat", "dog", "fox")


def decoded(outputs: dict[str, Any], **chosen: Any) -> dict[str, Any]:
    characters = tuple(chosen.pop("characters", ()))
    settings = OutputSettings.from_json(chosen)
    arrays = {name: numpy.asarray(value, numpy.float32) for name, value in outputs.items()}
    found = Decoder(settings, LABELS, characters).decode(arrays)
    return json.loads(json.dumps(found, allow_nan=False))  # type: ignore[no-any-return]


def test_classes_have_their_names_and_shares() -> None:
    found = decoded({"logits": [[0, 2, 1]]}, task="classification")["classes"]
    assert [one["label"] for one in found] == ["dog", "fox", "cat"]
    assert sum(one["score"] for one in found) == pytest.approx(1, abs=1e-5)
    assert decoded({"p": [[0.2, 0.7, 0.1]]}, task="classification")["classes"][0]["score"] == 0.7


def test_scores_that_are_no_numbers_are_nothing() -> None:
    found = decoded({"p": [[numpy.nan, 0.7, 0.1]]}, task="classification")["classes"]
    assert found[0]["label"] == "dog"
    assert decoded({"y": [[numpy.inf]]}, task="regression")["values"][0]["value"] is None


@pytest.mark.parametrize(
    ("likely", "decision"), [(0.9, "positive"), (0.5, "refer"), (0.4, "refer"), (0.1, "negative")]
)
def test_a_probability_between_two_bounds_is_left_to_a_person(likely: float, decision: str) -> None:
    found = decoded({"p": [[likely]]}, task="probability", refer=[0.2, 0.8])
    assert found["probability"] == pytest.approx(likely)
    assert found["decision"] == decision


@pytest.mark.parametrize(("likely", "decision"), [(0.6, "positive"), (0.59, "negative")])
def test_a_probability_is_decided_by_one_threshold(likely: float, decision: str) -> None:
    found = decoded({"p": [[1 - likely, likely]]}, task="probability", threshold=0.6)
    assert found["decision"] == decision
    assert found["label"] == "fox"


def test_a_logit_of_one_class_goes_through_a_sigmoid() -> None:
    found = decoded({"y": [[0.0]]}, task="probability", activation="sigmoid")
    assert found["probability"] == 0.5


def test_a_text_is_that_of_the_desk() -> None:
    random = numpy.random.default_rng(3)
    steps = random.normal(size=(1, 12, 5)).astype(numpy.float32)
    characters = ("a", "b", "c")
    ours = decoded({"steps": steps}, task="text", characters=characters)
    theirs = OutputReader(dictionary=characters).read({"steps": steps})
    assert ours["text"] == theirs.text
    assert ours["score"] == pytest.approx(theirs.score, abs=1e-4)


def test_the_blank_may_be_the_last_class() -> None:
    steps = numpy.eye(3)[[0, 0, 2, 0, 1, 2]][None]
    found = decoded({"steps": steps}, task="text", characters="ab", blank=2)
    assert found["text"] == "aab"


def test_a_dictionary_that_does_not_fit_is_a_sentence() -> None:
    with pytest.raises(ValueError, match="has 9 classes, and the dictionary 2 characters"):
        decoded({"steps": numpy.zeros((1, 4, 9))}, task="text", characters="ab")


def test_a_map_is_told_by_runs_that_fill_it() -> None:
    scores = numpy.zeros((1, 3, 4, 6))
    scores[0, 1, 1:3, 2:5] = 5
    found = decoded({"map": scores}, task="segmentation")
    shares = {one["label"]: one["share"] for one in found["classes"]}
    assert shares == {"cat": 0.75, "dog": 0.25}
    runs = found["map"]["runs"]
    flat = [kind for kind, length in runs for _ in range(length)]
    wanted = scores[0].argmax(axis=0).reshape(-1).tolist()
    assert flat == wanted
    assert (found["map"]["width"], found["map"]["height"]) == (6, 4)


@pytest.mark.parametrize("shape", [(1, 1, 4, 6), (1, 4, 6, 1), (1, 4, 6)])
def test_a_map_of_one_class_is_cut_at_the_threshold(shape: tuple[int, ...]) -> None:
    scores = numpy.linspace(0, 1, 24).reshape(shape)
    found = decoded({"map": scores}, task="segmentation", threshold=0.5)
    assert {one["index"]: one["share"] for one in found["classes"]} == {0: 0.5, 1: 0.5}


def test_values_have_names_and_a_unit() -> None:
    found = decoded({"y": [[1.5, 2.0]]}, task="regression", unit="mm")["values"]
    assert found == [
        {"value": 1.5, "name": "cat", "unit": "mm"},
        {"value": 2.0, "name": "dog", "unit": "mm"},
    ]


def test_an_embedding_has_its_length() -> None:
    found = decoded({"vector": [[3, 4]]}, task="embedding")
    assert found == {"vector": [3.0, 4.0], "norm": 5.0}


def test_the_output_is_chosen_by_its_name() -> None:
    outputs = {"other": [[9, 0, 0]], "scores": [[0, 0, 9]]}
    found = decoded(outputs, task="classification", output="scores")
    assert found["classes"][0]["label"] == "fox"
    with pytest.raises(ValueError, match="'missing' holds no numbers"):
        decoded(outputs, task="classification", output="missing")


@pytest.mark.parametrize("task", [one for one in TASKS if one not in WITH_OBJECTS])
def test_an_empty_output_is_a_sentence(task: str) -> None:
    decoder = Decoder(OutputSettings.from_json({"task": task}), LABELS, ("a",))
    with pytest.raises(ValueError, match=r"^The output .*\.$"):
        decoder.decode({"y": numpy.zeros((0, 3), numpy.float32)})


def test_an_empty_list_of_boxes_is_no_object() -> None:
    decoder = Decoder(OutputSettings.from_json({"task": "detection"}), LABELS)
    outputs = {"dets": numpy.zeros((1, 0, 6), numpy.float32)}
    assert decoder.decode(outputs, (8, 8)) == {"objects": []}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ([], "it is not an object"),
        ({}, "task is missing"),
        ({"task": "magic"}, "task cannot be 'magic': it is one of classification"),
        ({"task": "detection", "heads": "x"}, "unknown setting .heads."),
        ({"task": "detection", "threshold": 2}, "threshold is from 0 to 1"),
        ({"task": "detection", "threshold": "high"}, "threshold cannot be 'high'"),
        ({"task": "detection", "threshold": float("nan")}, "threshold cannot be nan"),
        ({"task": "detection", "most": 10**9}, "most is from 1 to 10,000"),
        ({"task": "detection", "strides": []}, "strides are from 1"),
        ({"task": "detection", "strides": [0]}, "strides are from 1"),
        ({"task": "probability", "refer": [0.8, 0.2]}, "refer is two probabilities"),
        ({"task": "text", "blank": -1}, "blank is the number of a class"),
        ({"task": "text", "blank": True}, "blank cannot be True"),
    ],
)
def test_settings_that_do_not_fit_are_a_sentence(content: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        OutputSettings.from_json(content)


@pytest.mark.parametrize("shape", [(1, 1, 40, 60), (1, 40, 60, 1), (1, 40, 60)])
def test_lines_of_text_are_turned_rectangles(shape: tuple[int, ...]) -> None:
    likely = numpy.zeros((40, 60))
    likely[10:20, 12:42] = 0.9
    found = decoded({"map": likely.reshape(shape)}, task="text-detection", widen=0)["regions"]
    assert found == [{"score": 0.9, "corners": [[12, 10], [41, 10], [41, 19], [12, 19]]}]


def test_lines_of_text_lie_in_the_picture_where_they_are() -> None:
    steps = Preprocess(resize="stretch", height=80, width=120)
    picture = PictureInInput(200, 600, steps.placement(200, 600))
    likely = numpy.zeros((1, 1, 40, 60), numpy.float32)
    likely[0, 0, 10:20, 12:42] = 0.9
    settings = OutputSettings.from_json({"task": "text-detection", "widen": 0})
    found = Decoder(settings).decode({"map": likely}, (80, 120), picture)
    (one,) = found["regions"]  # type: ignore[misc]
    assert one["corners"] == [[120, 50], [410, 50], [410, 95], [120, 95]]


@pytest.mark.parametrize("shape", [(1, 3, 8, 8), (2, 8, 8), (8, 8), (1, 1, 1, 8)])
def test_what_is_no_map_of_one_class_has_no_lines(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="is not a map of one class"):
        decoded({"map": numpy.zeros(shape)}, task="text-detection")
