"""A reader notices cameras that end, fail or hang, and reports each loss once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from studio.runtime.apps import reader as module
from studio.runtime.apps.mailbox import Mailbox
from studio.runtime.apps.parts import IDLE
from studio.runtime.apps.reader import FAILED, LOST, OPENING, RUNNING, SourceReader
from studio.runtime.apps.settings import AppError
from tests.unit.runtime.apps.parts import Camera, Context


class Desk:
    """A reader at work, and the place of an engine's thread.

    Attributes:
        told: Events of the source: kind and details.
    """

    def __init__(self, camera: Camera) -> None:
        self.camera = camera
        self.told: list[tuple[str, dict[str, object]]] = []
        self.came = threading.Condition()
        self.box = Mailbox(camera.source.is_live, self.came)
        self.reader = SourceReader(camera.source, Context(), self.box, self._tell, 1000.0)

    def _tell(self, kind: str, reader: SourceReader, details: dict[str, object]) -> None:
        with self.came:
            self.told.append((kind, details))
            self.came.notify_all()

    def frame(self) -> Any:
        """Wait for the next frame."""
        with self.came:
            assert self.came.wait_for(lambda: self.box.waits, 60)
            return self.box.take()

    def kinds(self, count: int) -> list[str]:
        """Wait for so many events of the source; return all."""
        with self.came:
            assert self.came.wait_for(lambda: len(self.told) >= count, 60)
            return [kind for kind, _ in self.told]

    def close(self) -> None:
        self.reader.stop()
        for _ in range(20):
            self.camera.end()
        self.reader.join(time.monotonic() + 60)


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> Camera:
    monkeypatch.setattr(module, "_FIRST_WAIT_S", 0.001)
    monkeypatch.setattr(module, "_LONGEST_WAIT_S", 0.002)
    monkeypatch.setattr(module, "_UNSTEADY_WAIT_S", 0.004)
    return Camera()


@pytest.fixture
def desk(camera: Camera) -> Iterator[Desk]:
    found = Desk(camera)
    yield found
    found.close()


def test_a_loss_and_a_return_are_one_event_each(camera: Camera, desk: Desk) -> None:
    desk.reader.start()
    camera.give()
    desk.frame()
    for _ in range(3):
        camera.fail(OSError("connection reset"))
    assert desk.kinds(1) == ["source-lost"]
    assert desk.told[0][1] == {"reason": "connection reset"}
    camera.give()
    desk.frame()
    camera.give()
    desk.frame()
    assert desk.kinds(2) == ["source-lost", "source-back"]
    assert desk.reader.lost == 1
    assert desk.reader.state == RUNNING


def test_a_camera_that_hangs_is_lost_and_what_it_gives_later_is_ignored(
    camera: Camera, desk: Desk
) -> None:
    desk.reader.start()
    camera.give()
    desk.frame()
    released = camera.hang()
    assert camera.hanging.acquire(timeout=60)
    now = time.monotonic()
    desk.reader.look(now + 3.9)
    assert desk.reader.state == RUNNING
    desk.reader.look(now + 60)
    assert desk.reader.state == LOST
    assert desk.kinds(1) == ["source-lost"]
    for _ in range(2):
        assert camera.opened.acquire(timeout=60)
    camera.give()
    desk.frame()
    released.set()
    assert camera.closed.acquire(timeout=60)  # the abandoned thread has ended
    assert desk.kinds(2) == ["source-lost", "source-back"]
    assert desk.reader.frames == 2
    with desk.came:
        assert not desk.box.waits


def test_an_abandoned_thread_that_fails_later_does_not_report_the_new_one_as_lost(
    camera: Camera, desk: Desk
) -> None:
    desk.reader.start()
    camera.give()
    desk.frame()
    released = camera.hang(OSError("much too late"))
    assert camera.hanging.acquire(timeout=60)
    desk.reader.look(time.monotonic() + 60)
    for _ in range(2):
        assert camera.opened.acquire(timeout=60)
    camera.give()
    desk.frame()
    released.set()
    assert camera.closed.acquire(timeout=60)
    assert desk.kinds(2) == ["source-lost", "source-back"]
    assert desk.reader.state == RUNNING


def test_threads_that_never_return_are_bounded(camera: Camera, desk: Desk) -> None:
    released = [camera.hang() for _ in range(20)]
    desk.reader.start()
    now = time.monotonic()
    for step in range(1, 40):
        desk.reader.look(now + 100.0 * step)
    hanging = [one for one in threading.enumerate() if one.name == "source door"]
    assert len(hanging) <= 5
    assert desk.kinds(1) == ["source-lost"]
    assert desk.reader.to_json()["reason"] == "it does not open"
    for one in released:
        one.set()


def test_an_opening_that_takes_long_is_not_disturbed(camera: Camera, desk: Desk) -> None:
    desk.reader.start()
    desk.reader.look(time.monotonic() + 15)
    assert desk.reader.state == OPENING
    assert desk.told == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(111, "Connection refused"), "Connection refused"),
        (ValueError("no such codec"), "no such codec"),
        (RuntimeError("decoder"), "reading failed: decoder"),
        (ZeroDivisionError(), "reading failed: no reason given"),
    ],
)
@pytest.mark.parametrize("opening", [True, False])
def test_whatever_a_library_raises_loses_the_source_and_not_its_thread(
    camera: Camera, desk: Desk, error: Exception, reason: str, opening: bool
) -> None:
    if opening:
        camera.refusal = error
    else:
        camera.fail(error)
    desk.reader.start()
    assert desk.kinds(1) == ["source-lost"]
    assert desk.reader.reason == reason
    camera.refusal = None
    camera.give()
    desk.frame()
    assert desk.kinds(2) == ["source-lost", "source-back"]


def test_idle_reads_do_not_count_as_frames_and_let_the_thread_end(
    camera: Camera, desk: Desk
) -> None:
    desk.reader.start()
    camera.give()
    desk.frame()
    camera.acts.put(lambda: IDLE)
    camera.acts.put(lambda: IDLE)
    desk.reader.look(time.monotonic() + 60)
    assert desk.kinds(1) == ["source-lost"]
    assert desk.reader.frames == 1


def test_a_source_without_a_time_out_may_be_silent() -> None:
    camera = Camera(timeout_s=0.0)
    desk = Desk(camera)
    desk.reader.start()
    camera.give()
    desk.frame()
    desk.reader.look(time.monotonic() + 1e6)
    assert desk.told == []
    desk.close()


def test_a_clock_of_the_system_that_jumps_changes_no_duration(
    camera: Camera, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    walls = iter([1e9, 2e9, 5e8])
    monkeypatch.setattr(time, "time", lambda: next(walls))
    desk.reader.start()
    stamps = []
    for _ in range(3):
        camera.give()
        stamps.append(desk.frame().stamp)
    desk.reader.look(time.monotonic())
    assert [one.wall for one in stamps] == [1e9, 2e9, 5e8]
    assert 0 <= stamps[1].time - stamps[0].time < 60
    assert 0 <= stamps[2].time - stamps[1].time < 60
    assert desk.told == []


def test_frames_of_another_size_are_handed_over(camera: Camera, desk: Desk) -> None:
    desk.reader.start()
    sizes = [(4, 6), (8, 2), (1, 1)]
    for size in sizes:
        camera.give(size)
        assert desk.frame().data.shape == (*size, 3)


def test_a_live_source_may_come_to_an_end(camera: Camera, desk: Desk) -> None:
    desk.reader.start()
    camera.give()
    desk.frame()
    camera.end()
    with desk.came:
        assert desk.came.wait_for(lambda: desk.reader.is_over, 60)
    assert desk.told == []


@pytest.mark.parametrize("error", [OSError("no such film"), AppError("no file x"), KeyError("x")])
def test_a_recording_that_fails_is_reported_and_over(error: Exception) -> None:
    camera = Camera(live=False)
    camera.refusal = error
    desk = Desk(camera)
    desk.reader.start()
    assert desk.kinds(1) == ["source-failed"]
    with desk.came:
        assert desk.came.wait_for(lambda: desk.reader.is_over, 60)
    assert desk.reader.state == FAILED
    desk.close()


def test_a_loose_contact_is_opened_more_and_more_slowly(
    camera: Camera, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(desk.reader._stop, "wait", waits.append)
    for _ in range(6):
        camera.give()
        camera.fail(OSError("loose"))
    for _ in range(3):
        camera.fail(OSError("gone"))
    desk.reader.start()
    for _ in range(9):
        assert camera.closed.acquire(timeout=60)
    assert waits[:6] == [0.002, 0.004, 0.004, 0.004, 0.004, 0.004]
    assert waits[6:8] == [0.002, 0.002]
