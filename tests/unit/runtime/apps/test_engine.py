"""An engine outlives what its sources, steps and its store do."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from studio.runtime.apps.document import AppDocument
from studio.runtime.apps.engine import AppEngine
from studio.runtime.apps.graph import AppGraph
from studio.runtime.apps.items import Event
from studio.runtime.apps.store import MemoryStore
from tests.unit.runtime.apps.parts import Camera, Context, document, event


class Store(MemoryStore):
    """A store in memory whose disk fails while ``fault`` is set."""

    def __init__(self) -> None:
        super().__init__("yard")
        self.added = threading.Semaphore(0)

    def add(self, events: Any) -> list[Event]:
        self.added.release()
        if self.fault:
            raise OSError(self.fault)
        return super().add(events)


def graph(*cameras: Camera) -> AppGraph:
    app = AppDocument.from_json(document(sources={"door": {"type": "video", "path": "x"}}))
    sources = [one.source._replace(name=f"door{at}") for at, one in enumerate(cameras)]
    return AppGraph(app, tuple(sources), (), ())


def run(engine: AppEngine, *cameras: Camera) -> None:
    engine.start()
    assert engine.wait(60)
    engine.stop()
    for camera in cameras:
        camera.end()


def test_no_frame_at_the_end_of_a_recording_is_lost() -> None:
    for _ in range(50):
        camera = Camera(live=False)
        for _ in range(5):
            camera.give()
        camera.end()
        engine = AppEngine(graph(camera), Context(), Store())
        run(engine)
        assert engine.latency.count == 5


def test_a_turn_that_fails_does_not_end_the_app() -> None:
    camera = Camera(live=False)
    for _ in range(3):
        camera.give()
    camera.end()
    calls: list[int] = []

    def watch(frames: Any, results: Any) -> None:
        calls.append(len(frames))
        if len(calls) == 1:
            raise KeyError("watch")

    engine = AppEngine(graph(camera), Context(), Store(), watch)
    run(engine)
    assert calls == [1, 1, 1]
    assert "watch" in str(engine.status()["fault"])


def test_a_store_that_fails_is_a_fault_for_as_long_as_it_fails() -> None:
    camera = Camera()
    camera.refusal = OSError("no camera")
    store = Store()
    store.fault = "the disk is full"
    engine = AppEngine(graph(camera), Context(), store)
    engine.start()
    assert store.added.acquire(timeout=60)
    assert engine.status()["fault"] == "Events cannot be stored: the disk is full"
    store.fault = ""
    assert engine.status()["fault"] == ""
    engine.stop()


def test_one_recording_that_fails_leaves_the_others_alone() -> None:
    good, bad = Camera(live=False), Camera(live=False)
    bad.refusal = OSError("no such film")
    for _ in range(4):
        good.give()
    good.end()
    store = Store()
    engine = AppEngine(graph(good, bad), Context(), store)
    run(engine)
    assert [(one.kind, one.stamp.source) for one in store.events] == [("source-failed", "door1")]
    sources: Any = engine.status()["sources"]
    assert (sources["door0"]["frames"], sources["door0"]["state"]) == (4, "ended")
    assert sources["door1"]["reason"] == "no such film"


def test_many_cameras_that_hang_are_left_within_one_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    cameras = [Camera() for _ in range(30)]
    released = [one.hang() for one in cameras]
    engine = AppEngine(graph(*cameras), Context(), Store())
    engine.start()
    for camera in cameras:
        assert camera.opened.acquire(timeout=60)
    waits: list[float] = []
    for reader in engine.readers:
        monkeypatch.setattr(reader, "join", waits.append)
    engine.stop()
    assert len(set(waits)) == 1  # all share one deadline
    for one in released:
        one.set()


def test_the_notice_of_an_app_is_in_each_of_its_events() -> None:
    app = AppDocument.from_json(
        document(notice="A demonstration.", sources={"door": {"type": "video", "path": "x"}})
    )
    camera = Camera(live=False)
    camera.fail(OSError("unplugged"))
    store = Store()
    engine = AppEngine(AppGraph(app, (camera.source,), (), ()), Context(), store)
    run(engine)
    engine.record(event(kind="override"))
    assert [one.details["notice"] for one in store.events] == ["A demonstration."] * len(
        store.events
    )
    assert store.events[-1].kind == "override"
    assert len(store.events) > 1
