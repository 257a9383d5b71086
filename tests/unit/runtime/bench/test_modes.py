"""The modes besides latency, through the bench as a program."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.runtime.bench.test_study import ORT_RUNNER

pytestmark = pytest.mark.slow

SLEEPER = """
import time

class Runner:
    def __init__(self, path, options):
        self.options = options

    def inputs(self):
        return [{"name": "x", "dtype": "float32", "shape": self.options.get("shape", ["n", 4])}]

    def run(self, feeds):
        if feeds["x"].shape[-1] < self.options.get("least", 0):
            raise ValueError("the window is too short")
        time.sleep(self.options.get("ms", 2) / 1e3)
        y = feeds["x"] * 2
        if len(y) > 1 and self.options.get("wrong"):
            y = y + 1
        return {"y": y}

    def describe(self):
        return {"runtime": "fake", "version": "1", "device": "cpu", "threads": 1}

    def close(self):
        pass

def load(path, options):
    return Runner(path, options)
"""


@pytest.fixture
def sleeper(tmp_path):
    """A candidate that sleeps: how fast it is does not hang on the machine."""
    runner = tmp_path / "sleeper.py"
    runner.write_text(SLEEPER)

    def make(name: str, **options: Any) -> dict[str, Any]:
        return {"id": name, "model": "m", "runner": str(runner), "options": options}

    return make


def settings(events: list[dict[str, Any]]) -> dict[tuple[int, int], dict[str, Any]]:
    return {(each["streams"], each["batch"]): each for each in events[-1]["settings"]}


def test_throughput_tries_each_number_of_streams_with_each_batch(measure, sleeper):
    events, status = measure(
        sleeper("a", ms=5), mode="throughput", streams=[1, 3], batches=[1, 4], seconds=2.0
    )
    assert status == 0
    assert set(settings(events)) == {(1, 1), (3, 1), (1, 4), (3, 4)}
    [first, *_] = [each for each in events if each["event"] == "round"]
    sample = {cell: times[0] for cell, times in first["times_ns"].items()}
    assert sample["a|3|1"] < 0.7 * sample["a|1|1"]  # three sleep at once
    assert sample["a|1|4"] < 0.7 * sample["a|1|1"]  # four samples in one sleep
    assert first["blocks"]["a|1|4"]["samples"] % 4 == 0
    assert [each["id"] for each in events[-1]["candidates"]] == ["a"]


def test_a_fixed_batch_and_a_wrong_one_are_settings_with_a_reason(measure, sleeper):
    events, _ = measure(sleeper("a", shape=[1, 4]), mode="throughput", batches=[1, 2], seconds=0.5)
    assert settings(events)[1, 1]["state"] == "measured"
    assert settings(events)[1, 2]["reason"] == "The model fixes the size of its batch."
    events, _ = measure(sleeper("a", wrong=True), mode="throughput", batches=[1, 2], seconds=0.5)
    assert settings(events)[1, 2]["state"] == "wrong output"
    assert settings(events)[1, 1]["state"] == "measured"


def test_onnxruntime_runs_streams_and_batches(measure, cnn):
    one = {"id": "a", "model": str(cnn), "runner": str(ORT_RUNNER), "options": {"threads": 1}}
    events, status = measure(one, mode="throughput", streams=[1, 2], batches=[1, 3], seconds=0.5)
    assert status == 0
    assert {each["state"] for each in events[-1]["settings"]} == {"measured"}


def test_the_open_loop_finds_a_rate_that_keeps_the_limit(measure, sleeper):
    events, status = measure(sleeper("a", ms=2), mode="open-loop", limit_ms=200.0, seconds=8.0)
    assert status == 0
    found = events[-1]["candidates"][0]["open_loop"]
    trials = [each for each in events if each["event"] == "trial"]
    assert len(trials) == len(found["trials"])
    assert {each["phase"] for each in trials} == {"search", "confirm"}
    if found["kept"]:  # on a machine that stalls nothing can be shown
        assert found["over_high"] <= 0.01
        assert 0 < found["rate_per_second"] <= found["capacity_per_second"] * 1.5
    else:
        assert found["rate_per_second"] is None
    assert json.dumps(found)


def test_a_rate_beyond_the_capacity_misses_the_limit(measure, sleeper):
    events, _ = measure(
        sleeper("a", ms=5), mode="open-loop", limit_ms=20.0, rate=1000.0, seconds=2.0
    )
    found = events[-1]["candidates"][0]["open_loop"]
    assert found["kept"] is False
    assert found["over_low"] > 0.01
    assert found["rate_per_second"] == 1000.0
    assert found["trials"][0]["waiting_most"] > 3


def test_sustained_is_a_series_of_points_for_each(measure, sleeper):
    events, status = measure(
        sleeper("a", ms=2), sleeper("b", ms=4), mode="sustained", duration=1.0, interval=0.2
    )
    assert status == 0
    points = [each for each in events if each["event"] == "point"]
    assert [each["id"] for each in points] == sorted(each["id"] for each in points)  # in turn
    for name, ms in (("a", 2), ("b", 4)):
        series = [each for each in points if each["id"] == name]
        assert len(series) >= 2
        assert series[-1]["t_s"] >= 1.0
        assert all(each["p50_ms"] >= ms for each in series)
        assert all(each["inferences"] > 0 for each in series)


@pytest.mark.parametrize("mode", ["throughput", "open-loop", "sustained"])
def test_every_mode_is_cancelled_at_once(bench, sleeper, mode):
    values = {"duration": 600.0, "interval": 60.0, "limit_ms": 1000.0, "seconds": 600.0}
    started = bench({"candidates": [sleeper("a")], "mode": mode, "twin": False, **values})
    for event in started.events():
        if event["event"] == "progress" and event["phase"] == "warm-up":
            break
    started.close_input()
    assert [each["event"] for each in started.events()][-1] == "cancelled"
    assert started.end() == 130


def test_open_sizes_are_tried_until_the_model_runs(measure, sleeper):
    events, status = measure(sleeper("a", shape=["n", "window"], least=100), sleeper("b"))
    assert status == 0
    [fed] = events[-1]["feeds"]
    assert fed["shape"] == [1, 128]
    assert fed["assumed"] == [0, 1]


def test_sizes_that_never_fit_are_one_sentence_with_the_first_that_was_tried(measure, sleeper):
    events, status = measure(sleeper("a", shape=["n", "window"], least=10**6))
    assert status == 1
    assert events[-1]["text"].startswith("None of the candidates works; a: The window is too short")
    assert "The shape x=1x1 was assumed: give the real one." in events[-1]["text"]


def test_given_sizes_are_tried_once(measure, sleeper):
    feeds = {"shapes": {"x": [1, 7]}}
    events, _ = measure(sleeper("a", shape=["n", "window"], least=100), feeds=feeds)
    assert events[-1]["text"] == "None of the candidates works; a: The window is too short."
