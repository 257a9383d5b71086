"""Parts of apps for tests: events, a context, and a source that does what the test has it do."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from studio.runtime.apps.graph import AppSource
from studio.runtime.apps.items import PICTURES, Event, FrameStamp
from studio.runtime.apps.parts import SourceFrame, SourceType

Act = Callable[[], SourceFrame | None]


def event(number: int = 0, kind: str = "crossing", step: str = "gate", **details: Any) -> Event:
    """An event of frame ``number``."""
    stamp = FrameStamp("door", number, float(number), 1_700_000_000.0 + number, 0.0)
    return Event(kind, step, stamp, {"n": number, **details})


class Context:
    """Services for parts that need files alone."""

    def predictor(self, name: str) -> Any:
        raise AssertionError(f"no test has the model {name}")

    def output(self, name: str) -> str:
        """Return the name itself."""
        return name

    def file(self, name: str) -> str:
        return name


class CameraSettings(NamedTuple):
    """Settings of a made-up camera."""

    timeout_s: float = 4.0


class Camera:
    """A live source whose reads the test answers one after the other.

    Attributes:
        opened: Released once for each opening.
        hanging: Released once for each read that has begun to hang.
    """

    def __init__(self, live: bool = True, **settings: float) -> None:
        self.acts: queue.Queue[Act] = queue.Queue()
        self.opened = threading.Semaphore(0)
        self.closed = threading.Semaphore(0)
        self.hanging = threading.Semaphore(0)
        self.refusal: Exception | None = None
        kind = SourceType("made-up", "", PICTURES, CameraSettings, lambda _: live, self._open)
        self.source = AppSource("door", kind, CameraSettings(**settings))

    def _open(self, settings: Any, context: Any) -> Camera:
        if self.refusal is not None:
            raise self.refusal
        self.opened.release()
        return self

    def read(self) -> SourceFrame | None:
        return self.acts.get()()

    def close(self) -> None:
        self.closed.release()

    def give(self, size: tuple[int, int] = (4, 6)) -> None:
        """Answer a read with a picture."""
        self.acts.put(lambda: SourceFrame(np.zeros((*size, 3), np.uint8)))

    def fail(self, error: Exception) -> None:
        """Answer a read with a fault."""

        def act() -> SourceFrame:
            raise error

        self.acts.put(act)

    def end(self) -> None:
        """Answer a read with the end."""
        self.acts.put(lambda: None)

    def hang(self, error: Exception | None = None) -> threading.Event:
        """Answer a read when the returned event is set, with a picture or a fault."""
        released = threading.Event()

        def act() -> SourceFrame:
            self.hanging.release()
            released.wait(60)
            if error is not None:
                raise error
            return SourceFrame(np.ones((4, 6, 3), np.uint8))

        self.acts.put(act)
        return released


def document(**tables: Mapping[str, Any]) -> dict[str, Any]:
    """An app of some tables."""
    return {"name": "yard", **tables}
