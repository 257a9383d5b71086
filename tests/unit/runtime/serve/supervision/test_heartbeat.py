"""Workers that hang are told from those that work long, and replaced."""

from __future__ import annotations

import functools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from studio.runtime.serve.supervision.heartbeat import Heartbeat, LongestRun, processor_s
from studio.runtime.serve.supervision.worker_pool import WorkerPool
from tests.rigs.patience import patience
from tests.unit.runtime.serve import rig

HANG_S = patience(2.0)
"""Without a sign of life: a worker that only waits for its turn is none that hangs."""

pytestmark = pytest.mark.slow

LIMIT_S, ANSWER_S = 10.0, 60.0
INFER = "/v2/models/answer/infer"


def beat(used: Callable[[], float | None] = lambda: 0.0) -> Heartbeat:
    return Heartbeat(LIMIT_S, ANSWER_S, used)


def test_one_question_at_a_time() -> None:
    heart = beat()
    assert heart.start_ping(100.0)
    assert not heart.start_ping(101.0)
    heart.on_answer(102.0, 0.0)
    assert heart.next_check == 102.0 + LIMIT_S / 4
    assert not heart.start_ping(heart.next_check - 0.1)
    assert heart.start_ping(heart.next_check)


def test_an_answer_in_time_is_no_hang() -> None:
    heart = beat()
    assert heart.start_ping(0.0)
    assert heart.verdict(LIMIT_S - 0.1) == ""
    heart.on_answer(LIMIT_S - 0.1, 0.0)
    assert heart.verdict(1000.0) == "", "nothing was asked since"


def test_an_idle_worker_hangs_after_the_limit() -> None:
    heart = beat()
    assert heart.start_ping(0.0)
    assert heart.next_check == LIMIT_S
    assert heart.verdict(LIMIT_S) == "missed its heartbeat for 10 s"


def test_a_busy_worker_has_as_long_as_clients_wait() -> None:
    used = iter([0.0, *[5.0] * 9])
    heart = beat(lambda: next(used))
    assert heart.start_ping(0.0)
    assert heart.verdict(LIMIT_S) == ""
    assert heart.next_check > LIMIT_S, "nobody may look without a pause"
    assert heart.verdict(LIMIT_S + ANSWER_S - 0.1) == ""
    assert "70 s" in heart.verdict(LIMIT_S + ANSWER_S)


def test_where_the_processor_time_is_unknown_silence_counts() -> None:
    heart = beat(lambda: None)
    assert heart.start_ping(0.0)
    assert heart.verdict(LIMIT_S) != ""


def test_silence_that_is_in_order_for_now() -> None:
    heart = beat()
    assert heart.start_ping(0.0)
    assert heart.verdict(LIMIT_S + 1, patience_s=120.0) == ""
    assert heart.verdict(120.0, patience_s=120.0) != ""


def test_a_run_that_outlasts_all_clients() -> None:
    heart = beat()
    for run_s, hangs in ((5.0, False), (ANSWER_S + LIMIT_S, False), (ANSWER_S + 11.0, True)):
        assert heart.start_ping(heart.next_check + 1.0)
        heart.on_answer(heart.next_check, run_s)
        assert bool(heart.verdict(heart.next_check)) == hangs


def test_without_a_limit_for_answers_a_run_may_last() -> None:
    heart = Heartbeat(LIMIT_S, float("inf"), lambda: 0.0)
    assert heart.start_ping(0.0)
    heart.on_answer(1.0, 1e6)
    assert heart.verdict(1.0) == ""


@pytest.mark.parametrize("busy", [True, False])
def test_processor_time_of_a_process(busy: bool) -> None:
    code = "while True: pass" if busy else "import time; time.sleep(60)"
    words = [sys.executable, "-c", "print(flush=True)\n" + code]
    process = subprocess.Popen(words, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        heart = Heartbeat(1.0, 60.0, functools.partial(processor_s, process.pid))
        assert process.stdout.readline()
        asked = time.monotonic()
        assert heart.start_ping(asked)
        rig.wait_until(lambda: time.monotonic() > asked + 1.5, "the limit is over")
        assert bool(heart.verdict(time.monotonic())) != busy
    finally:
        process.stdout.close()
        process.kill()
        process.wait()
    assert processor_s(process.pid) is None


def test_the_longest_run() -> None:
    longest = LongestRun()
    assert longest.poll([]) == 0.0
    one, other = object(), object()
    assert longest.poll([one]) == 0.0
    assert longest.poll([one, other]) > 0.0
    assert longest.poll([other]) < longest.poll([other])
    assert longest.poll([]) == 0.0


def test_a_crew_answers_while_one_is_not_found_to_hang(tmp_path: Path) -> None:
    """What feeds the service manager's watchdog: a worker that cannot even be killed does not."""
    crew = WorkerPool(tmp_path)
    assert not crew.answers
    crew.active = SimpleNamespace(hung=False)  # type: ignore[assignment]
    assert crew.answers
    crew.active.hung = True  # type: ignore[union-attr]
    assert not crew.answers
    crew.next = SimpleNamespace(hung=False)  # type: ignore[assignment]
    assert crew.answers


@pytest.fixture
def server(tmp_path: Path) -> Iterator[rig.ServerProcess]:
    root = tmp_path / "root"
    model = rig.constant(tmp_path / "one.onnx", 1)
    rig.switch(root, rig.bundle(root / "releases", model, 1))
    arguments = (f"--root={root}", f"--hang-seconds={HANG_S}", "--drain-seconds=2")
    with rig.ServerProcess(*arguments, log=tmp_path / "log") as running:
        yield running


def worker_of(tmp_path: Path) -> int:
    return int(rig.report(tmp_path / "root")["worker"])


def test_a_stopped_worker_is_replaced(server: rig.ServerProcess, tmp_path: Path) -> None:
    old = worker_of(tmp_path)
    os.kill(old, signal.SIGSTOP)
    rig.wait_until(lambda: worker_of(tmp_path) not in (0, old), "another worker", 60)
    status, document = server.call("POST", INFER, rig.question())
    assert (status, document["outputs"][0]["data"]) == (200, [1.0] * 4)
    told = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    (ended,) = [line for line in told if line.get("event") == "worker ended"]
    assert ended["hung"] is True
    assert "missed its heartbeat for" in ended["reason"]
    counted = 'edgewright_worker_restarts_total{reason="hang"} 1'
    rig.wait_until(lambda: counted in server.get("/metrics")[1].decode(), "it is counted")
    assert 'reason="crash"} 0' in server.get("/metrics")[1].decode()


def test_a_worker_that_is_stopped_for_a_moment_stays(
    server: rig.ServerProcess, tmp_path: Path
) -> None:
    old = worker_of(tmp_path)
    os.kill(old, signal.SIGSTOP)
    time.sleep(0.5)
    os.kill(old, signal.SIGCONT)
    assert server.get("/v2/health/ready")[0] == 200
    time.sleep(1.5 * HANG_S)
    assert worker_of(tmp_path) == old


def test_a_worker_that_is_stopped_while_it_reloads_is_replaced_or_goes_on(
    server: rig.ServerProcess, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    two = rig.bundle(root / "releases", rig.constant(tmp_path / "two.onnx", 2), 2)
    old = worker_of(tmp_path)
    os.kill(old, signal.SIGSTOP)
    rig.switch(root, two)
    server.hang_up()
    time.sleep(1.5 * HANG_S)  # over the limit, but a reload may take long
    assert worker_of(tmp_path) == old
    os.kill(old, signal.SIGCONT)
    rig.wait_until(lambda: rig.report(root)["version"] == "2", "it is loaded")
    assert worker_of(tmp_path) == old


def test_a_long_run_is_no_hang(tmp_path: Path) -> None:
    root = tmp_path / "root"
    model = rig.slow(tmp_path / "slow.onnx", trips=140_000)
    rig.switch(root, rig.bundle(root / "releases", model, 1))
    data = [1.0] * 128 * 128
    body = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [128, 128], "data": data}]}
    arguments = (f"--root={root}", "--hang-seconds=1", "--request-seconds=60")
    with rig.ServerProcess(*arguments, log=tmp_path / "log") as server:
        old = worker_of(tmp_path)
        answers: list[tuple[int, object]] = []
        began = time.monotonic()
        client = threading.Thread(target=lambda: answers.append(server.call("POST", INFER, body)))
        client.start()
        client.join(60)
        assert time.monotonic() - began > 2, "the run was to outlast the limit"
        assert [status for status, _ in answers] == [200]
        assert worker_of(tmp_path) == old
