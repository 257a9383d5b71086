"""Worker with a whole app as a board runs it: a bundle, its engine and its model."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from studio.runtime.apps.engine import AppEngine
from studio.runtime.apps.graph import graph_of
from studio.runtime.apps.mailbox import ReadFrame
from studio.runtime.apps.runner import FrameResult
from studio.runtime.apps.store import MemoryStore
from studio.runtime.serve.apps.bundle import AppBundle, app_of
from studio.runtime.serve.apps.hosted_app import BundleContext
from studio.runtime.serve.engine.served_model import ServedModel, load
from studio.runtime.serve.engine.source import from_bundle
from tests.benchmarks.apps.parts import serve


class BundledApp:
    """The app of a bundle, which runs a film on one thread of its model."""

    def __init__(self) -> None:
        self._loaded: dict[str, tuple[AppBundle, ServedModel]] = {}
        self._data = Path(tempfile.mkdtemp(dir=os.environ.get("TMPDIR")))

    def answer(self, request: Mapping[str, Any]) -> dict[str, object]:
        """Run the film of a request, or give the boxes of some of its frames."""
        folder = request["bundle"]
        if folder not in self._loaded:
            self._loaded[folder] = _opened(Path(folder))
        bundle, model = self._loaded[folder]
        context = BundleContext(bundle, model, self._data)
        if request.get("wanted") == "boxes":
            return {"frames": _boxes(context, request)}
        return _run(bundle, context, request)


def _opened(folder: Path) -> tuple[AppBundle, ServedModel]:
    model = load(from_bundle(folder), 1, 1)
    bundle = app_of(folder, model.source)
    assert bundle is not None
    return bundle, model


def _run(
    bundle: AppBundle, context: BundleContext, request: Mapping[str, Any]
) -> dict[str, object]:
    """CPU and wall time a frame, and the crossings."""
    graph = graph_of(bundle.document, {"FILM": request["film"]})
    engine, done = AppEngine(graph, context, MemoryStore("film")), threading.Event()
    last, ends = request["frames"] - 1, list[float]()
    events: list[tuple[float, str, str]] = []

    def watch(frames: Sequence[ReadFrame], results: Sequence[FrameResult]) -> None:
        if done.is_set():
            return
        events.extend(
            (one.stamp.time, one.details["direction"], one.details["label"])
            for result in results
            for one in result.all_events
            if one.kind == "crossing"
        )
        if results[-1].stamp.number == last:
            ends.extend([time.process_time(), time.monotonic()])
            done.set()

    engine.watch = watch
    cpu, wall = time.process_time(), time.monotonic()
    engine.start()
    done.wait(600)
    engine.stop()
    return {
        "cpu_ms": (ends[0] - cpu) / request["frames"] * 1e3,
        "wall_ms": (ends[1] - wall) / request["frames"] * 1e3,
        "events": events,
    }


def _boxes(context: BundleContext, request: Mapping[str, Any]) -> list[list[list[float]]]:
    """Boxes of persons, each with its score, in every so many frames."""
    import cv2

    predictor, capture = context.predictor("detector"), cv2.VideoCapture(request["film"])
    found, number = list[list[list[float]]](), 0
    while True:
        read, pixels = capture.read()
        if not read:
            return found
        if number >= request["first"] and (number - request["first"]) % request["every"] == 0:
            objects = predictor.pictures([pixels[:, :, ::-1]])[0]
            rows = zip(
                objects.corners.tolist(), objects.scores.tolist(), objects.labels, strict=True
            )
            found.append([[*corners, score] for corners, score, label in rows if label == "person"])
        number += 1


def main() -> None:
    """Answer requests until there are no more."""
    serve(BundledApp().answer)


if __name__ == "__main__":
    main()
