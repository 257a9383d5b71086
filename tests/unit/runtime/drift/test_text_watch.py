"""Drift of prompts and answers: quiet for equal traffic, and an alarm for another language."""

from __future__ import annotations

import json
import random
from functools import partial

import pytest

from studio.runtime.drift.text_language import language_of
from studio.runtime.drift.text_watch import LEARNED, TextFacts, TextWatch, facts_of
from tests.unit.runtime.serve.rig import wait_until

WINDOWS = 12
RUNS = 100
"""Runs of equal traffic, each of as many windows."""


def request(
    draw: random.Random, language: str = "", share: float = 0.0, mean: float = 4.0
) -> TextFacts:
    """Return an invented request; a share of them is in another language."""
    usual = "english" if draw.random() < 0.9 else draw.choice(["latin", "german", "none"])
    spoken = language if draw.random() < share else usual
    answer = min(128, int(draw.lognormvariate(4, 0.7)) + 1)
    prompt = int(draw.lognormvariate(mean, 0.8)) + 1
    return TextFacts(prompt, answer, answer == 128, spoken, spoken)


def learned(draw: random.Random) -> TextWatch:
    """Return a watch that has its reference; every request counts, however fast they come."""
    watch = TextWatch(frames_s=float("inf"))
    for _ in range(LEARNED):
        watch.add(request(draw))
    wait_until(partial(_is_ready, watch), "the reference")
    return watch


def _is_ready(watch: TextWatch) -> bool:
    return "learns" not in watch.status()


def test_equal_traffic_raises_no_alarm() -> None:
    alarms = differing = windows = 0
    for seed in range(RUNS):
        draw = random.Random(seed)
        watch = learned(draw)
        for _ in range(32 * WINDOWS):
            watch.add(request(draw))
        alarms += watch.alarm.raised
        differing += watch.alarm.differing
        windows += watch.alarm.windows
    assert windows > 0.9 * RUNS * WINDOWS  # requests that look alike by chance are not judged
    # One window in a hundred may differ by chance; an alarm is expected in one run of 170.
    assert differing <= 0.02 * windows
    assert alarms <= 2


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"language": "german", "share": 0.8}, "language"),
        ({"language": "chinese", "share": 0.5}, "language"),
        ({"mean": 5.0}, "prompt.length"),
    ],
)
def test_a_change_raises_one_within_three_windows(change: dict[str, float], cause: str) -> None:
    for seed in range(5):
        draw = random.Random(seed)
        watch = learned(draw)
        for _ in range(32 * 3):
            watch.add(request(draw, **change))  # type: ignore[arg-type]
        assert watch.alarm.on
        causes = watch.status()["causes"]
        assert isinstance(causes, list)
        assert any(cause in name for name in causes)


def test_answers_that_are_cut_more_often_raise_one() -> None:
    draw = random.Random(3)
    watch = learned(draw)
    for _ in range(32 * 3):
        watch.add(request(draw)._replace(cut=True))
    assert "answer.cut" in str(watch.status()["causes"])


def test_nothing_of_a_text_is_kept() -> None:
    watch = TextWatch(64)
    for _ in range(100):
        watch.add(facts_of("my secret question", "my secret answer", (3, 4), cut=False))
    assert "secret" not in json.dumps(watch.status())
    assert "secret" not in repr(watch._first)


def test_the_state_while_it_learns_and_afterwards() -> None:
    draw = random.Random(1)
    watch = TextWatch(64)
    watch.add(request(draw))
    status = watch.status()
    assert (status["learns"], status["frames"], status["alarm"]) == (64, 1, False)
    for _ in range(63):
        watch.add(request(draw))
    wait_until(partial(_is_ready, watch), "the reference")
    signals = watch.status()["signals"]
    assert isinstance(signals, list)
    names = [signal["name"] for signal in signals]
    assert names[:2] == ["prompt.length", "prompt.language"]
    assert signals[1]["labels"][0] == "english"
    assert signals[1]["labels"][-1] == "others"
    assert len(signals[1]["labels"]) == len(signals[1]["reference"])


def test_requests_that_are_all_alike_are_watched_too() -> None:
    watch = TextWatch(64)
    one = TextFacts(5, 5, False, "english", "english")
    for _ in range(64):
        watch.add(one)
    wait_until(partial(_is_ready, watch), "the reference")
    for _ in range(200):
        watch.add(one)
    assert watch.status()["fault"] == ""
    assert not watch.alarm.on


TEXTS = {
    "english": "What is the capital of France, and why?",
    "german": "Was ist die Hauptstadt von Frankreich, und warum?",
    "french": "Quelle est la capitale de la France et pourquoi ?",
    "spanish": "¿Cuál es la capital de Francia y por qué?",
    "italian": "Qual è la capitale della Francia e perché?",
    "portuguese": "Qual é a capital da França e por que não é outra?",
    "dutch": "Wat is de hoofdstad van Frankrijk en waarom?",
    "polish": "Jakie miasto jest stolicą Francji i dlaczego?",
    "swedish": "Vad är huvudstaden i Frankrike och varför är det så?",
    "russian": "Какой город — столица Франции, и почему именно он? Это же быстро.",
    "ukrainian": "Яке місто є столицею Франції?",
    "chinese": "法国的首都是哪里？",
    "japanese": "フランスの首都はどこですか。",
    "korean": "프랑스의 수도는 어디입니까?",
    "arabic": "ما هي عاصمة فرنسا؟",
    "greek": "Ποια είναι η πρωτεύουσα της Γαλλίας;",
    "thai": "เมืองหลวงของฝรั่งเศสคืออะไร",
    "latin": "print(x, y)",
    "none": "12 + 34 = ?",
}


@pytest.mark.parametrize("language", TEXTS)
def test_languages(language: str) -> None:
    assert language_of(TEXTS[language]) == language


def test_any_text_has_one() -> None:
    for first in range(0, 0x30000, 0x100):
        assert language_of("".join(map(chr, range(first, first + 0x100))))
