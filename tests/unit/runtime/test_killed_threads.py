"""Each thread of the runtime, killed: it begins its work again, or says that it has ended."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import studio.runtime
from studio.runtime.apps.engine import AppEngine
from studio.runtime.apps.reader import FAILED, LOST, SourceReader
from studio.runtime.apps.sinks.delivery import SinkWorker
from studio.runtime.apps.store import MemoryStore
from studio.runtime.bench.config import Candidate
from studio.runtime.bench.errors import Cancelled, CandidateError
from studio.runtime.bench.machine.energy import Recorder
from studio.runtime.bench.measures.streams import in_threads
from studio.runtime.bench.process import CancelWatch, CandidateProcess
from studio.runtime.drift.text_watch import TextFacts, TextWatch
from studio.runtime.listener import command as listener
from studio.runtime.listener import trial
from studio.runtime.pull import release_machine
from studio.runtime.pull.release_machine import ReleaseMachine
from studio.runtime.serve.apps import host as app_host
from studio.runtime.serve.apps import shadow as app_shadow
from studio.runtime.serve.decisions.recorder import DecisionRecorder
from studio.runtime.serve.fleet.publisher import StatePublisher
from studio.runtime.serve.otlp.exporter import Exporter
from studio.runtime.serve.quality import shadow, text_shadow, uncertain_samples
from studio.runtime.shared.errors import ReleaseError
from studio.runtime.shared.threads import ThreadFailure, report_failures
from tests.unit.runtime.apps.parts import Camera, Context
from tests.unit.runtime.apps.test_engine import graph
from tests.unit.runtime.apps.test_reader import Desk
from tests.unit.runtime.serve.rig import wait_until
from tests.unit.runtime.serve.test_dying_threads import once

Patch = pytest.MonkeyPatch
Case = Callable[[Path, Patch], None]
CASES: dict[str, Case] = {}
ELSEWHERE = {
    "generation": "serve/texts/test_broken_loop.py",
    "inference": "serve/test_dying_threads.py",
    "inline guard": "serve/test_dying_threads.py",
    "log": "serve/test_dying_threads.py",
    "machine": "serve/test_dying_threads.py",
    "outbox": "serve/test_dying_threads.py",
}
WISH: Any = SimpleNamespace(beyond=1.1, diverging=0.1, golden=False, release="a", share=0.5)


def kills(name: str) -> Callable[[Case], Case]:
    """Register the case of a thread."""

    def register(case: Case) -> Case:
        CASES[name] = case
        return case

    return register


def fails(*given: Any, **named: Any) -> Any:
    """End the thread that calls."""
    raise SystemExit("killed")


@pytest.fixture
def reports() -> Iterator[list[ThreadFailure]]:
    failures: list[ThreadFailure] = []
    report_failures(failures.append)
    yield failures
    report_failures()


def test_every_thread_of_the_table_is_killed() -> None:
    table = (Path(studio.runtime.__file__).parents[2] / "docs/runtime.md").read_text()
    rows = table.partition("### Threads")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([^`]+)`", rows, re.M)) == {*CASES, *ELSEWHERE}
    for file in ELSEWHERE.values():
        assert (Path(__file__).parent / file).exists()


@kills("decisions")
def decisions(folder: Path, patch: Patch) -> None:
    source, statistics = SimpleNamespace(digest="d"), SimpleNamespace(in_flight=0)
    model: Any = SimpleNamespace(name="m", version="1", source=source, statistics=statistics)
    config: Any = SimpleNamespace(on=True, days=1, room=1 << 20, content=0)
    patch.setattr(DecisionRecorder, "_draft", once(DecisionRecorder._draft))
    recorder = DecisionRecorder(model, config, folder)
    answer: Any = SimpleNamespace(
        body=b"answer", parts=(), length=6, start=None, headers="", status=200
    )
    recorder.note_as("1", b"lost", answer, has_meaning=False)
    wait_until(lambda: recorder.status()["lost"] == 1, "the loss is counted")
    recorder.note_as("2", b"kept", answer, has_meaning=False)
    wait_until(lambda: recorder.written == 1, "the next one is recorded")
    recorder.end()


@kills("otlp")
def otlp(folder: Path, patch: Patch) -> None:
    turns: list[bool] = []
    patch.setattr(Exporter, "_turn", once(lambda self, wait_s, last: turns.append(last)))
    settings: Any = SimpleNamespace(interval_s=1.0, turn_s=0.001, traces=None)
    exporter = Exporter(SimpleNamespace(), settings)  # type: ignore[arg-type]
    exporter.start()
    wait_until(lambda: bool(turns), "a turn after the failure")
    exporter.close()
    assert turns[-1], "it ends with a last turn"


@kills("fleet")
def fleet(folder: Path, patch: Patch) -> None:
    turns: list[float] = []
    patch.setattr(StatePublisher, "_try", once(lambda self, wait_s: turns.append(wait_s)))
    settings: Any = SimpleNamespace(every_s=0.01)
    repository = SimpleNamespace(replaced=lambda: None, all=lambda: ())
    publisher = StatePublisher(SimpleNamespace(repository=repository), settings, None)  # type: ignore[arg-type]
    publisher.start()
    wait_until(lambda: bool(turns), "a turn after the failure")
    publisher.close()


@kills("mirror")
def mirror(folder: Path, patch: Patch) -> None:
    patch.setattr(shadow, "takes_rows", lambda session: True)
    patch.setattr(shadow.ShadowComparison, "_load", fails)
    model: Any = SimpleNamespace(session=SimpleNamespace(watch=None))
    comparison = shadow.ShadowComparison(model, WISH, folder)
    wait_until(lambda: "The comparison ended: " in comparison.fault, "the fault is shown")


@kills("text shadow")
def text_comparison(folder: Path, patch: Patch) -> None:
    patch.setattr(text_shadow, "rows_at_once", lambda model: 8)
    patch.setattr(text_shadow.TextShadow, "_load", fails)
    generator: Any = SimpleNamespace(model=None, tap=None)
    comparison = text_shadow.TextShadow(generator, WISH, folder)
    wait_until(lambda: "The comparison ended: " in comparison.fault, "the fault is shown")


@kills("app shadow")
def app_comparison(folder: Path, patch: Patch) -> None:
    patch.setattr(app_shadow.AppShadow, "_load", fails)
    rules = SimpleNamespace(trial=SimpleNamespace(within_s=1.0, compare=()))
    running: Any = SimpleNamespace(bundle=SimpleNamespace(document=rules))
    comparison = app_shadow.AppShadow(running, WISH, folder)
    wait_until(lambda: "The comparison ended: " in comparison.fault, "the fault is shown")


@kills("samples")
def samples(folder: Path, patch: Patch) -> None:
    patch.setattr(uncertain_samples, "takes_rows", lambda session: True)
    patch.setattr(uncertain_samples, "SampleStore", fails)
    wish: Any = SimpleNamespace(most=9, room=1 << 20)
    model: Any = SimpleNamespace(session=None)
    sampler = uncertain_samples.Sampler(model, wish, folder)
    wanted = "Samples are not kept any more: "
    wait_until(lambda: wanted in str(sampler.status()["fault"]), "the fault is shown")


@kills("drift")
def drift(folder: Path, patch: Patch) -> None:
    patch.setattr(TextWatch, "_learn", once(TextWatch._learn))
    watch = TextWatch(learned=2)
    facts = TextFacts(4, 8, False, "english", "english")
    for _ in range(2):
        watch.add(facts)
    wait_until(lambda: watch.status().get("frames") == 0, "it learns anew")
    for _ in range(2):
        watch.add(facts)
    wait_until(lambda: "learns" not in watch.status(), "the reference")


@kills("app host")
def host(folder: Path, patch: Patch) -> None:
    begun: list[Any] = []
    patch.setattr(app_host, "bundle_folder", lambda model: folder)
    patch.setattr(app_host, "is_app", lambda place: True)
    patch.setattr(app_host.AppHost, "_start", once(lambda self, model, turn: begun.append(model)))
    log: Any = lambda *given, **named: None  # noqa: E731
    apps = app_host.AppHost(log)
    first, second = SimpleNamespace(), SimpleNamespace()
    apps.use(first)  # type: ignore[arg-type]
    wait_until(lambda: "The app failed: " in apps.fault, "the fault is shown")
    apps.use(second)  # type: ignore[arg-type]
    wait_until(lambda: begun == [second], "the next release runs")


@kills("app")
def app(folder: Path, patch: Patch) -> None:
    camera = Camera(live=False)
    patch.setattr(AppEngine, "_is_over", once(AppEngine._is_over))
    engine = AppEngine(graph(camera), Context(), MemoryStore("yard"))
    engine.start()
    wait_until(lambda: "killed" in engine.fault, "the fault is shown")
    camera.give()
    camera.end()
    assert engine.wait(60)
    assert engine.latency.count == 1
    engine.stop()


@kills("source NAME")
def source(folder: Path, patch: Patch) -> None:
    patch.setattr(SourceReader, "_read_until_lost", fails)
    for live, state in ((True, LOST), (False, FAILED)):
        desk = Desk(Camera(live=live))
        desk.reader.start()
        wait_until(lambda reader=desk.reader, end=state: reader.state == end, state)  # type: ignore[misc]
        assert "killed" in desk.reader.reason
        desk.close()


@kills("sink NAME")
def sink(folder: Path, patch: Patch) -> None:
    turns: list[int] = []
    outbox: Any = SimpleNamespace(wait=lambda name, seconds: None)
    patch.setattr(SinkWorker, "turn", once(lambda self: bool(turns.append(1))))
    delivery: Any = SimpleNamespace(close=lambda: None)
    worker = SinkWorker(SimpleNamespace(name="door"), delivery, outbox)  # type: ignore[arg-type]
    worker.start()
    wait_until(lambda: bool(turns), "a turn after the failure")
    assert worker.reason == "the sink fails: killed"
    worker.stop()


@kills("alive")
def alive(folder: Path, patch: Patch) -> None:
    lines: list[Any] = []
    patch.setattr(listener, "_emit", lines.append)
    patch.setattr(listener, "_stay_audible", once(listener._stay_audible))
    compares = lambda *given: wait_until(lambda: {"event": "alive"} in lines, "alive")  # noqa: E731
    patch.setattr(trial, "compare", compares)
    given: Any = SimpleNamespace(verb="compare", release="a", before="b", share=0.1)
    assert listener._beside(None, given) == 0  # type: ignore[arg-type]


def ended_machine(name: str) -> Case:
    def case(folder: Path, patch: Patch) -> None:
        application = folder / "sleeps.py"
        application.write_text("import time; time.sleep(600)")
        patch.setattr(release_machine, name, fails)
        machine = ReleaseMachine(folder, "ann@desk", application)
        with pytest.raises(ReleaseError):
            machine.call("status", {})

    return case


CASES["release lines"] = ended_machine("_read_lines")
CASES["release errors"] = ended_machine("_drain")


@kills("cancel")
def cancel(folder: Path, patch: Patch) -> None:
    patch.setattr(CancelWatch, "_watch", fails)
    watch = CancelWatch(0)
    wait_until(lambda: watch._set.is_set(), "it is cancelled")
    with pytest.raises(Cancelled):
        watch.check()


@kills("answers")
def answers(folder: Path, patch: Patch) -> None:
    patch.setattr(CandidateProcess, "_read", fails)
    process = CandidateProcess(Candidate("a", "m.onnx", "r.py"), CancelWatch(None))
    with pytest.raises(CandidateError, match="could not be read") as error:
        process.call("failed", 60.0, dict, do="load")
    assert error.value.state == "crashed"
    assert process._process.poll() is not None


@kills("energy")
def energy(folder: Path, patch: Patch) -> None:
    patch.setattr(Recorder, "_sample", fails)
    rail: Any = SimpleNamespace(command=(), read=lambda: 1.0)
    with pytest.raises(ValueError, match="did not answer"):
        Recorder(rail).during(lambda: None)


@kills("stream")
def stream(folder: Path, patch: Patch) -> None:
    with pytest.raises(SystemExit):
        in_threads(fails, 2, threading.Barrier(3))


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_killed_thread(
    name: str, tmp_path: Path, monkeypatch: Patch, reports: list[ThreadFailure]
) -> None:
    CASES[name](tmp_path, monkeypatch)
    assert {one.thread for one in reports} == {name.replace("NAME", "door")}
    assert not any(one.fatal for one in reports)
