"""Benches driven as programs: good and bad runners, kills, hangs, cancellation."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from studio.runtime.archive import write_application
from studio.runtime.shared.threads import PARALLEL_ABOVE_S, usable_cores
from tests.rigs.patience import patience

PATIENCE = 60.0
ORT_RUNNER = Path(__file__).parents[4] / "plugins" / "studio_onnxruntime" / "runner.py"


def result(events: list[dict[str, Any]]) -> dict[str, Any]:
    assert events[-1]["event"] == "result", events[-1]
    return events[-1]


def states(events: list[dict[str, Any]]) -> dict[str, str]:
    return {each["id"]: each["state"] for each in result(events)["candidates"]}


def reasons(events: list[dict[str, Any]]) -> dict[str, str]:
    return {each["id"]: each["reason"] for each in result(events)["candidates"]}


def children(pid: int) -> list[int]:
    """Processes whose parent it is."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + PATIENCE
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < deadline, f"still there: {pids}"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.slow
def test_two_candidates_and_the_twin_are_measured_in_every_round(measure, candidate):
    events, status = measure(candidate("a"), candidate("b", offset=0.5), operators=2, twin=True)
    assert status == 0
    rounds = [each for each in events if each["event"] == "round"]
    assert [each["round"] for each in rounds] == [1, 2, 3, 4]
    assert all(sorted(each["times_ns"]) == ["a", "a#twin", "b"] for each in rounds)
    assert all(min(map(min, each["times_ns"].values())) > 0 for each in rounds)
    found = result(events)
    assert found["reference"] == "a"
    assert found["twin"] == "a#twin"
    b = next(each for each in found["candidates"] if each["id"] == "b")
    assert b["max_error"] == pytest.approx(0.5)
    assert b["memory_mb"] > b["memory_base_mb"] > 5
    assert b["load_ms"] >= 0
    assert b["first_ms"] > 0
    assert [e["id"] for e in events if e["event"] == "operators"] == ["a", "b"]
    assert events[0]["environment"]["cores"] == os.cpu_count()


def threads(events):
    return {e["id"]: e["describe"]["threads"] for e in result(events)["candidates"]}


def test_open_threads_are_those_of_a_server(measure, candidate):
    quick, _ = measure(candidate("a", threads=0), candidate("b", threads=0, offset=0.5))
    assert threads(quick) == {"a": 1, "b": 1}


@pytest.mark.slow
@pytest.mark.skipif(usable_cores() < 2, reason="with one core there is no other number")
def test_a_slow_first_candidate_gives_all_of_them_all_cores(measure, candidate):
    slow = candidate("a", threads=0, nap=2 * PARALLEL_ABOVE_S)
    others = candidate("b", threads=0, offset=0.5), candidate("c", threads=1), candidate("d")
    events, status = measure(slow, *others, twin=True)
    assert status == 0
    cores = usable_cores()
    assert threads(events) == {"a": cores, "b": cores, "c": 1, "d": 1, "a#twin": cores}
    assert set(states(events).values()) == {"measured"}


def test_a_twin_costs_no_time_where_nothing_can_be_compared(measure, candidate):
    events, _ = measure(candidate("a"), candidate("broken", load="fail"), twin=True)
    assert result(events)["twin"] is None
    assert {name for e in events if e["event"] == "round" for name in e["times_ns"]} == {"a"}


def test_a_reason_is_never_cut_within_a_word(measure, candidate):
    events, _ = measure(candidate("a"), candidate("b", load="long"))
    reason = reasons(events)["b"]
    assert reason.endswith("wordy ...")
    assert len(reason) > 400


def test_what_cannot_load_or_run_is_named_and_the_others_go_on(measure, candidate):
    events, status = measure(
        candidate("broken", load="fail"),
        candidate("gone", load="exit"),
        candidate("good"),
        candidate("useless", run="fail"),
    )
    assert status == 0
    assert result(events)["reference"] == "good"
    found = states(events)
    assert found["broken"] == "cannot load"
    assert found["gone"] == "crashed"
    assert found["good"] == "measured"
    assert found["useless"] == "cannot run"
    assert reasons(events)["broken"] == "This is no model of mine."
    assert reasons(events)["gone"] == "The process ended by itself with status 3."
    assert reasons(events)["useless"] == "No kernel for that."


@pytest.mark.parametrize("fault", ["nan", "shape"])
def test_wrong_outputs_are_never_timed(measure, candidate, fault):
    events, _ = measure(candidate("a"), candidate("b", run=fault))
    assert states(events)["b"] == "wrong output"
    assert not any("b" in each["times_ns"] for each in events if each["event"] == "round")


def test_the_error_disqualifies_only_beyond_the_tolerance(measure, candidate):
    strict = dict(candidate("strict", offset=0.5), tolerance=0.01)
    events, _ = measure(candidate("a"), candidate("loose", offset=0.5), strict)
    assert states(events)["loose"] == "measured"
    assert states(events)["strict"] == "wrong output"
    assert "0.01 is allowed" in reasons(events)["strict"]


@pytest.mark.slow
def test_the_same_model_must_compute_the_same_elsewhere(measure, candidate):
    other = candidate("int8", offset=2.0)
    good = dict(candidate("int8 elsewhere", offset=2.01), like="int8")
    wrong = dict(candidate("int8 gone wrong", offset=2.3), like="int8")
    half = dict(candidate("int8 in bf16", offset=2.3, precision="bf16"), like="int8")
    events, _ = measure(candidate("a"), other, good, wrong, half)
    assert states(events)["int8 elsewhere"] == "measured"
    assert states(events)["int8 gone wrong"] == "wrong output"
    assert "0.01 is allowed" in reasons(events)["int8 gone wrong"]
    assert states(events)["int8 in bf16"] == "measured"
    found = {each["id"]: each for each in result(events)["candidates"]}
    assert found["int8 elsewhere"]["max_error"] == pytest.approx(2.01)
    assert 0 < found["int8 elsewhere"]["same_model_error"] < 0.01


def test_the_sizes_of_the_inputs_are_known_behind_the_reference(measure, candidate):
    events, _ = measure(candidate("a"), candidate("b", load="sizes"))
    assert states(events)["b"] == "cannot load"
    assert "{'x': [1, 4]}" in reasons(events)["b"]


@pytest.mark.parametrize("how", ["python", "native"])
def test_what_eats_memory_is_one_row(measure, candidate, how):
    events, status = measure(candidate("a"), dict(candidate(how, load=how), memory_mb=1000))
    assert status == 0
    assert states(events)[how] == "cannot load"
    assert reasons(events)[how] == "Out of memory."
    assert states(events)["a"] == "measured"


def test_chatter_on_standard_output_does_not_break_the_stream(measure, candidate):
    events, status = measure(candidate("a", run="chatter"))
    assert status == 0
    assert states(events)["a"] == "measured"


@pytest.mark.slow
def test_a_hanging_load_is_stopped(measure, candidate):
    events, _ = measure(candidate("a"), candidate("b", load="hang"), load_timeout=8)
    assert states(events)["b"] == "timed out"
    assert "within 8 s" in reasons(events)["b"]
    assert states(events)["a"] == "measured"


@pytest.mark.slow
@pytest.mark.parametrize(("does", "state"), [("hang", "timed out"), ("die", "crashed")])
def test_a_runner_that_fails_in_the_middle_keeps_its_rounds(
    bench, candidate, tmp_path, does, state
):
    trap = tmp_path / "trap"
    failing = candidate("b", run=does, trap=str(trap))
    config = {"candidates": [candidate("a"), failing], "rounds": 30}
    config["run_timeout"] = patience(1.0)
    started = bench({**config, "seconds": patience(0.5), "twin": False, "warm_up_seconds": 0.05})
    events = []
    for event in started.events():
        events.append(event)
        if event["event"] == "round" and event["round"] == 2:
            trap.touch()
    assert started.end() == 0
    assert states(events) == {"a": "measured", "b": state}
    rounds = [each["times_ns"] for each in events if each["event"] == "round"]
    assert len([each for each in rounds if "a" in each]) == 30
    assert 2 <= len([each for each in rounds if "b" in each]) < 30


def test_a_killed_child_leaves_the_rest_of_the_study_alone(bench, candidate):
    started = bench({"candidates": [candidate("a"), candidate("b")], "rounds": 60, "seconds": 0.5})
    events = []
    for event in started.events():
        events.append(event)
        if event["event"] == "round" and event["round"] == 3:
            os.kill(children(started.process.pid)[0], signal.SIGKILL)
    assert started.end() == 0
    assert "crashed" in states(events).values()
    assert "measured" in states(events).values()
    assert sum(each["event"] == "round" for each in events) == 60


def test_closing_standard_input_cancels_and_leaves_no_child(bench, candidate):
    started = bench({"candidates": [candidate("a"), candidate("b")], "seconds": 3600})
    pids: list[int] = []
    last: dict[str, Any] = {}
    for last in started.events():
        if last["event"] == "round" and not pids:
            pids = children(started.process.pid)
            started.close_input()
    assert started.end() == 130
    assert last == {"event": "cancelled"}
    assert len(pids) == 3
    wait_until_gone(pids)


def test_cancelling_interrupts_a_runner_that_hangs(bench, candidate):
    started = bench({"candidates": [candidate("a", load="hang")]})
    events = started.events()
    while next(events)["event"] != "progress":
        pass
    started.close_input()
    assert started.end() == 130


def test_children_die_with_the_bench(bench, candidate):
    started = bench({"candidates": [candidate("a"), candidate("b")], "seconds": 3600})
    for event in started.events():
        if event["event"] == "round":
            pids = children(started.process.pid)
            started.process.kill()
            break
    assert started.end() == -signal.SIGKILL
    wait_until_gone(pids)


def test_a_reader_that_went_away_ends_the_bench(bench, candidate):
    started = bench({"candidates": [candidate("a")], "seconds": 3600, "cancel_on_eof": False})
    started.close_input()
    for event in started.events():
        if event["event"] == "round":
            break
    started.process.stdout.close()
    assert started.end() == 130


def test_nothing_works_is_one_sentence(measure, candidate):
    events, status = measure(candidate("a", load="fail"))
    assert status == 1
    assert events[-1]["event"] == "error"
    assert events[-1]["text"] == "None of the candidates works; a: This is no model of mine."


def test_an_interpreter_that_is_not_there(measure, candidate):
    lost = dict(candidate("lost"), python="/nonexistent/python3")
    events, _ = measure(candidate("a"), lost)
    assert states(events)["lost"] == "cannot load"
    assert "/nonexistent/python3 does not start" in reasons(events)["lost"]


def test_a_memory_limit_stops_a_greedy_runner(measure, candidate):
    greedy = candidate("b")
    source = Path(greedy["runner"]).read_text()
    path = Path(greedy["runner"]).with_name("greedy_runner.py")
    path.write_text(source.replace("self.calls = 0", "self.data = numpy.ones(10**9)"))
    greedy["runner"] = str(path)
    events, _ = measure(candidate("a"), greedy, memory_limit_mb=4000)
    assert states(events)["b"] == "cannot load"
    assert states(events)["a"] == "measured"


def test_the_zip_application_runs_the_same_bench(tmp_path, candidate):
    application = tmp_path / "edgewright.pyz"
    write_application(str(application))
    assert "edgewright_runtime/bench/study.py" in zipfile.ZipFile(application).namelist()
    config = {"candidates": [candidate("a")], "rounds": 2, "seconds": 0.1, "cancel_on_eof": False}
    done = subprocess.run(
        [sys.executable, str(application), "bench"],
        input=json.dumps(config).encode() + b"\n",
        capture_output=True,
        timeout=PATIENCE,
        cwd=tmp_path,
        check=False,
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert states(events)["a"] == "measured"


def test_onnxruntime_measures_a_real_model(measure, cnn):
    model = {"id": "cnn", "model": str(cnn), "runner": str(ORT_RUNNER), "options": {"threads": 1}}
    events, status = measure(model, operators=3)
    assert status == 0
    found = result(events)
    described = found["candidates"][0]["describe"]
    assert described["threads"] == 1
    assert described["providers"] == ["CPUExecutionProvider"]
    assert found["feeds"] == [
        {"name": "image", "dtype": "float32", "shape": [1, 3, 16, 16], "assumed": [0]}
    ]
    kernels = next(each["operators"] for each in events if each["event"] == "operators")
    assert sum(kernel["us"] for kernel in kernels) > 0
    assert {kernel["provider"] for kernel in kernels} == {"cpu"}


def test_onnxruntime_says_why_it_cannot_load(measure, cnn, tmp_path):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(cnn.read_bytes()[:100])
    runner = {"runner": str(ORT_RUNNER), "options": {}}
    events, _ = measure(
        {"id": "good", "model": str(cnn), **runner}, {"id": "bad", "model": str(broken), **runner}
    )
    assert states(events) == {"good": "measured", "bad": "cannot load"}
    assert reasons(events)["bad"].startswith("Load model from")
