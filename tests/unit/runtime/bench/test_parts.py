"""The parts of the bench: configuration, feeds, comparison, plan, percentiles, sensors, timing."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import numpy
import pytest

from studio.runtime.bench import config, feeds, plan
from studio.runtime.bench.arrays import load_arrays, save_arrays
from studio.runtime.bench.errors import BenchError, CandidateError, ConfigError
from studio.runtime.bench.events import DeclaredInput
from studio.runtime.bench.facts import Percentiles
from studio.runtime.bench.machine import sensors
from studio.runtime.bench.machine.environment import cpu_name, environment
from studio.runtime.bench.measures import timing
from studio.runtime.bench.statistics import compare, percentiles

MODEL = {"id": "a", "model": "m", "runner": "r"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nonsense", "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "names no candidates"),
        ('{"candidates": []}', "names no candidates"),
        ('{"candidates": [7]}', "A candidate is not an object"),
        ('{"candidates": [{"id": "a"}]}', "incomplete"),
        (json.dumps({"candidates": [MODEL, MODEL]}), "the same id"),
        (json.dumps({"candidates": [MODEL], "rounds": 0}), "'rounds' must be a positive"),
        (json.dumps({"candidates": [MODEL], "rounds": True}), "'rounds' must be a positive"),
        (json.dumps({"candidates": [MODEL], "speed": 1}), "unknown key 'speed'"),
        (json.dumps({"candidates": [MODEL], "feeds": {"npy": ""}}), "unknown key 'npy'"),
    ],
)
def test_a_bad_configuration_is_one_sentence(line, said):
    with pytest.raises(ConfigError, match=said):
        config.parse(line)


def test_open_sizes_come_from_shapes_then_symbols_then_assumptions():
    declared = DeclaredInput("x", "float32", ["batch", 3, None, "w"])
    assumed = feeds.resolve(declared, config.FeedPlan())
    assert assumed.shape == (1, 3, 224, 224)
    assert assumed.assumed == (0, 2, 3)
    named = feeds.resolve(declared, config.FeedPlan(symbols={"batch": 4, "w": 32}))
    assert named.shape == (4, 3, 224, 32)
    assert named.assumed == (2,)
    given = feeds.resolve(declared, config.FeedPlan(shapes={"x": [1, 3, 48, 320]}))
    assert given.shape == (1, 3, 48, 320)
    assert given.assumed == ()


@pytest.mark.parametrize(
    ("shape", "sizes"),
    [
        (["batch_size", "sequence_length"], (1, 128)),
        (["N", "frames", 80], (1, 128, 80)),
        ([None, "channels", "height", "width"], (1, 3, 224, 224)),
        ([None, None], (1, 1)),
        ([None], (1,)),
    ],
)
def test_the_names_of_open_sizes_tell_what_is_sensible(shape, sizes):
    declared = DeclaredInput("x", "float32", shape)
    assert feeds.resolve(declared, config.FeedPlan()).shape == sizes


def test_a_shape_that_contradicts_the_model_is_refused():
    declared = DeclaredInput("x", "float32", [None, 3, 8, 8])
    with pytest.raises(BenchError, match=r"'x' has the shape \?x3x8x8, which 1x4x8x8"):
        feeds.resolve(declared, config.FeedPlan(shapes={"x": [1, 4, 8, 8]}))


def test_random_feeds_have_the_declared_types_and_come_from_the_seed():
    declared = [
        DeclaredInput("ids", "int64", [1, 9]),
        DeclaredInput("half", "float16", [2]),
        DeclaredInput("flag", "bool", [5]),
    ]
    arrays, _ = feeds.build(declared, config.FeedPlan(seed=3))
    again, _ = feeds.build(declared, config.FeedPlan(seed=3))
    assert {name: str(array.dtype) for name, array in arrays.items()} == {
        "ids": "int64",
        "half": "float16",
        "flag": "bool",
    }
    assert set(arrays["ids"].ravel()) <= {0, 1}
    assert all((arrays[name] == again[name]).all() for name in arrays)


def test_feeds_from_a_file(tmp_path):
    path = tmp_path / "feeds.npz"
    numpy.savez(path, x=numpy.ones((1, 4), numpy.float32))
    declared = [DeclaredInput("x", "float32", ["n", 4])]
    arrays, inputs = feeds.build(declared, config.FeedPlan(npz=str(path)))
    assert arrays["x"].sum() == 4
    assert inputs[0].shape == (1, 4)
    with pytest.raises(BenchError, match="no array for the input 'y'"):
        feeds.build([DeclaredInput("y", "float32", [1])], config.FeedPlan(str(path)))
    path.write_bytes(b"garbage")
    with pytest.raises(BenchError, match="cannot be read"):
        feeds.build(declared, config.FeedPlan(npz=str(path)))


def test_texts_are_made_up_that_can_be_read_as_numbers():
    arrays, _ = feeds.build([DeclaredInput("s", "str", [2, 3])], config.FeedPlan())
    assert arrays["s"].shape == (2, 3)
    assert set(arrays["s"].ravel()) <= {"0", "1"}


def test_unknown_names_are_refused():
    declared = [DeclaredInput("x", "float32", [1])]
    with pytest.raises(BenchError, match="no input 'z'; its inputs are x"):
        feeds.build(declared, config.FeedPlan(shapes={"z": [1, 1]}))


def test_arrays_of_any_name_survive_a_file(tmp_path):
    path = str(tmp_path / "a.npz")
    values = {"file": numpy.arange(3), "a/b:0": numpy.ones(2), "text": numpy.array(["x"], object)}
    skipped = save_arrays(path, {**values, "map": {"a": 1}})
    loaded = load_arrays(path)
    assert skipped == ["map"]
    assert (loaded["file"] == [0, 1, 2]).all()
    assert (loaded["a/b:0"] == 1).all()
    assert loaded["text"].tolist() == ["x"]


def test_objects_are_never_unpickled(tmp_path):
    path = tmp_path / "evil.npz"
    numpy.savez(path, x=numpy.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="cannot be read"):
        load_arrays(str(path))


def test_errors_are_absolute_and_relative_to_each_output():
    reference = {"big": numpy.array([100.0, -200.0]), "small": numpy.array([0.5])}
    other = {"big": numpy.array([100.0, -198.0]), "small": numpy.array([0.4])}
    found = compare.compare(reference, other, None)
    assert found.max_error == pytest.approx(2)
    assert found.relative_error == pytest.approx(0.2)


def test_infinities_that_the_reference_has_too_are_no_error():
    same = {"y": numpy.array([numpy.inf, 1.0, numpy.nan])}
    assert compare.compare(same, same, 0.0).max_error == 0


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"y": numpy.ones((2, 3))}, "2x3 instead of 2"),
        ({"y": numpy.array([1.0, numpy.nan])}, "1 values that are no numbers"),
        ({"y": numpy.ones(2), "z": numpy.ones(2)}, "2 outputs instead of 1"),
    ],
)
def test_wrong_outputs(other, said):
    with pytest.raises(CandidateError, match=said) as caught:
        compare.compare({"y": numpy.ones(2)}, other, None)
    assert caught.value.state == "wrong output"


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_orders_are_balanced(count):
    names = [f"c{index}" for index in range(count)]
    rounds = list(islice(plan.orders(names, seed=1), count * 20))
    for place in range(count):
        assert set(Counter(order[place] for order in rounds).values()) == {20}
    assert all(sorted(order) == names for order in rounds)
    if count > 2:
        assert len({tuple(order) for order in rounds}) > count


def test_the_plan_keeps_its_time_and_its_rounds():
    fast = plan.make_plan({"a": 100_000, "b": 200_000}, rounds=40, seconds=20)
    assert fast.rounds == 40
    assert fast.blocks["a"].runs == plan.MAX_BLOCK
    middle = plan.make_plan({"a": 20_000_000, "b": 10_000_000}, rounds=40, seconds=20)
    planned = sum(
        middle.rounds * time * (middle.blocks[name].runs + middle.blocks[name].settle) / 1e9
        for name, time in (("a", 0.02e9), ("b", 0.01e9))
    )
    assert 14 <= planned <= 20
    slow = plan.make_plan({"a": 2_000_000_000}, rounds=40, seconds=1)
    assert slow.rounds == plan.MIN_ROUNDS
    assert slow.blocks["a"] == plan.BlockSize(1, 0)
    assert plan.make_plan({"a": 2_000_000_000}, rounds=3, seconds=1).rounds == 3


@pytest.mark.parametrize(("count", "given"), [(1, 1), (63, 1), (64, 2), (661, 2), (662, 3)])
def test_percentiles_need_enough_samples(count, given):
    found = vars(percentiles.latency([1_000_000] * count)).values()
    assert [value for value in found if value is not None] == [1.0] * given
    missing = percentiles.missing(count)
    assert len(missing) == 3 - given
    assert all(f"has {count}" in why for why in missing.values())


def test_percentiles_are_right():
    times = [index * 1_000_000 for index in range(1, 1002)]
    assert percentiles.latency(times) == Percentiles(p50=501.0, p90=901.0, p99=991.0)
    assert percentiles.distribution(times)[::50] == [1.0, 501.0, 1001.0]
    assert percentiles.distribution([]) == []


def write(root: Path, path: str, text: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_sensors_are_read_where_there_are_any(tmp_path):
    nothing = sensors.Sensors(str(tmp_path)).read()
    assert nothing == sensors.Reading()
    cpu = "sys/devices/system/cpu/cpu0"
    write(tmp_path, f"{cpu}/cpufreq/scaling_cur_freq", "1500000\n")
    write(tmp_path, f"{cpu}/thermal_throttle/core_throttle_count", "3\n")
    write(tmp_path, "sys/class/thermal/thermal_zone0/temp", "51500\n")
    write(tmp_path, "sys/class/thermal/thermal_zone1/temp", "-274000\n")
    write(tmp_path, "sys/devices/platform/soc/soc:firmware/get_throttled", "50005\n")
    write(tmp_path, "proc/stat", "cpu  10 0 20 30 0 0 0 7 0 0\n")
    found = sensors.Sensors(str(tmp_path)).read()
    assert found.clock_mhz == 1500
    assert found.temperature_c == 51.5
    assert (found.stolen, found.total) == (7, 67)
    assert found.throttles == 3 + 5


@pytest.mark.parametrize(
    ("last", "reasons"),
    [
        ({}, []),
        ({"clock_mhz": 1040.0}, []),
        ({"clock_mhz": 900.0}, ["clock changed"]),
        ({"throttles": 1}, ["throttled"]),
        ({"stolen": 1, "total": 20}, []),
        ({"stolen": 5, "total": 100}, ["stolen time"]),
        ({"stolen": 5, "total": 1000}, []),
    ],
)
def test_what_spoils_a_round(last, reasons):
    first: dict[str, Any] = {"clock_mhz": 1000.0}
    readings = [sensors.Reading(**first), sensors.Reading(**{**first, **last})]
    assert sensors.spoils(readings) == reasons


@pytest.mark.slow
def test_warm_up_ends_when_the_times_are_stable_or_the_time_is_up():
    clock = {"now": 0}

    def run() -> None:
        clock["now"] += 1

    found = timing.warm_up(run, seconds=5)
    assert found.runs == clock["now"]
    never = timing.warm_up(run, seconds=0)
    assert not never.stable
    assert never.runs == 1


def test_a_block_times_each_inference_but_not_the_settling_ones():
    calls: list[int] = []
    block = timing.measure(lambda: calls.append(1), runs=5, settle=2)
    assert len(calls) == 7
    assert len(block.times_ns) == 5
    assert sum(block.times_ns) <= block.wall_ns


def test_the_environment_names_the_processor_of_boards_too(tmp_path):
    write(tmp_path, "proc/cpuinfo", "processor : 0\nCPU implementer : 0x41\nCPU part : 0xd08\n")
    assert cpu_name(str(tmp_path)) == "implementer 0x41 part 0xd08"
    write(tmp_path, "proc/cpuinfo", "processor : 0\nModel : Raspberry Pi 4 Model B\n")
    assert cpu_name(str(tmp_path)) == "Raspberry Pi 4 Model B"
    write(tmp_path, "proc/device-tree/model", "NVIDIA Jetson Orin\0")
    write(tmp_path, "etc/os-release", 'PRETTY_NAME="Board OS 1"\n')
    found = environment(str(tmp_path))
    assert found.board == "NVIDIA Jetson Orin"
    assert found.os == "Board OS 1"
    assert found.governor is None
