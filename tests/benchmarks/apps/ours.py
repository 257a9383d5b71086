"""Worker with the tracker and the steps of the runtime."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from studio.runtime.apps.catalog import STEPS
from studio.runtime.apps.document import AppDocument
from studio.runtime.apps.engine import AppEngine
from studio.runtime.apps.graph import graph_of
from studio.runtime.apps.items import FrameStamp, Objects
from studio.runtime.apps.mailbox import ReadFrame
from studio.runtime.apps.parts import AppContext, StepProcessor
from studio.runtime.apps.runner import FrameResult
from studio.runtime.apps.settings import read_settings
from studio.runtime.apps.store import MemoryStore
from tests.benchmarks.apps.parts import Boxes, Detector, load_boxes, serve

PIXELS = np.zeros((1, 1, 3), np.uint8)


def step(name: str, settings: Mapping[str, object]) -> StepProcessor:
    """A step with its settings."""
    kind = STEPS[name]
    settings = read_settings(kind.settings, settings, name)
    return kind.make(name, settings, cast("AppContext", None))


def objects(boxes: Boxes, labels: Sequence[str]) -> Objects:
    """Boxes as the graph of an app carries them."""
    names = tuple(labels[one] for one in boxes.classes.tolist())
    return Objects(PIXELS, boxes.corners, boxes.scores, names)


def count(request: dict[str, Any]) -> dict[str, object]:
    """Crossings and counts of a film whose boxes are known, with the CPU time a frame."""
    frames = load_boxes(request["boxes"])[request["offset"] :: request["every"]]
    seen = [objects(boxes, request["labels"]) for boxes in frames]
    track, line = step("track", request["track"]), step("line", request["line"])
    zone = step("zone", {"area": request["area"]})
    events: list[tuple[float, str, str]] = []
    counts: list[float] = []
    tracking, began = 0.0, time.process_time()
    for number, (boxes, found) in enumerate(zip(frames, seen, strict=True)):
        stamp = FrameStamp("film", number, boxes.time, boxes.time, 0.0)
        before = time.process_time()
        tracks = track.process(stamp, found).value
        tracking += time.process_time() - before
        events += [
            (boxes.time, event.details["direction"], event.details["label"])
            for event in line.process(stamp, tracks).events
        ]
        counts.append(zone.process(stamp, tracks).value["count"])
    spent = time.process_time() - began
    return {
        "events": events,
        "counts": counts,
        "cpu_ms": spent / len(frames) * 1e3,
        "tracker_ms": tracking / len(frames) * 1e3,
    }


class Context:
    """Services of an app whose only model is the detector."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.task, self.batch = "detection", 1

    def predictor(self, name: str) -> Context:
        """The detector."""
        return self

    def file(self, name: str) -> str:
        """The path as it is."""
        return name

    def pictures(self, pixels: Sequence[np.ndarray]) -> list[Objects]:
        """Objects of each picture."""
        return [objects(self._detector.boxes(one, is_rgb=True), ["person"]) for one in pixels]


class Film:
    """The whole app on the first frames of a film, from the file to its events."""

    def __init__(self) -> None:
        self._detectors: dict[str, Detector] = {}

    def run(self, request: dict[str, Any]) -> dict[str, object]:
        """CPU and wall time a frame."""
        detector = self._detectors.setdefault(
            request["model"], Detector(request["model"], request["track"]["low"])
        )
        engine, done = self._engine(request, detector), threading.Event()
        last, inference = request["frames"] - 1, detector.inference_s
        ends: list[float] = []

        def watch(frames: Sequence[ReadFrame], results: Sequence[FrameResult]) -> None:
            if results[-1].stamp.number == last:
                ends.extend([time.process_time(), time.monotonic()])
                inference_end.append(detector.inference_s)
                done.set()

        inference_end: list[float] = []
        engine.watch = watch
        cpu, wall = time.process_time(), time.monotonic()
        engine.start()
        done.wait(300)
        engine.stop()
        model_s = inference_end[0] - inference
        return {
            "cpu_ms": (ends[0] - cpu) / request["frames"] * 1e3,
            "wall_ms": (ends[1] - wall) / request["frames"] * 1e3,
            "rest_ms": (ends[0] - cpu - model_s) / request["frames"] * 1e3,
            "events": engine.counts["line crossing"],
        }

    def _engine(self, request: dict[str, Any], detector: Detector) -> AppEngine:
        line = {"type": "line", "input": "track", **request["line"]}
        document = {
            "name": "film",
            "sources": {"film": {"type": "video", "path": request["film"]}},
            "steps": {
                "find": {"type": "detect", "input": "film", "model": "detector"},
                "track": {"type": "track", "input": "find", **request["track"]},
                "line": line,
                "zone": {"type": "zone", "input": "track", "area": request["area"]},
            },
        }
        graph = graph_of(AppDocument.from_json(document))
        return AppEngine(graph, cast("AppContext", Context(detector)), MemoryStore("film"))


def main() -> None:
    """Answer requests until there are no more."""
    film = Film()
    serve(lambda request: film.run(request) if "film" in request else count(request))


if __name__ == "__main__":
    main()
