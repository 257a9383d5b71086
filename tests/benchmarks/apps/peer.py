"""Worker with trackers and supervision in plain Python, run by an interpreter that has them."""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
import supervision as sv
from parts import Boxes, Detector, load_boxes, serve
from trackers import ByteTrackTracker, SORTTracker


class Chain:
    """Tracker, line and zone with the same settings as ours."""

    def __init__(self, request: dict[str, Any], fps: float) -> None:
        threshold, keep_s = request["track"]["threshold"], request["track"]["keep_s"]
        common = {
            "lost_track_buffer": round(30 * keep_s),  # counted at 30 frames a second
            "frame_rate": fps,
            "track_activation_threshold": threshold,
        }
        self._least = threshold if request["peer"] == "sort" else request["track"]["low"]
        self._tracker: Any = (
            SORTTracker(**common)
            if request["peer"] == "sort"
            else ByteTrackTracker(**common, high_conf_det_threshold=threshold)
        )
        start, end = (sv.Point(*request["line"][name]) for name in ("start", "end"))
        self._line = sv.LineZone(start, end, [sv.Position.BOTTOM_CENTER])
        self._zone = sv.PolygonZone(np.array(request["area"], dtype=np.int64))
        self._names = request["line"]["names"]
        self.tracking = 0.0

    def take(self, boxes: Boxes) -> tuple[list[tuple[str, int]], int]:
        """Crossings (direction and class) and count of one frame."""
        kept = boxes.scores >= self._least
        before = time.process_time()
        found = sv.Detections(
            xyxy=boxes.corners[kept],
            confidence=boxes.scores[kept],
            class_id=boxes.classes[kept],
        )
        tracks = self._tracker.update(found, timestamp=boxes.time)
        self.tracking += time.process_time() - before
        tracks = tracks[tracks.tracker_id >= 0]
        crossed = [
            (name, int(label))
            for name, rows in zip(self._names, self._line.trigger(tracks), strict=True)
            for label in tracks.class_id[rows]
        ]
        return crossed, int(self._zone.trigger(tracks).sum())


def count(request: dict[str, Any]) -> dict[str, object]:
    """Crossings and counts of a film whose boxes are known, with the CPU time a frame."""
    frames = load_boxes(request["boxes"])[request["offset"] :: request["every"]]
    chain = Chain(request, request["fps"] / request["every"])
    events: list[tuple[float, str, str]] = []
    counts: list[int] = []
    began = time.process_time()
    for boxes in frames:
        crossed, inside = chain.take(boxes)
        for name, label in crossed:
            events.append((boxes.time, name, request["labels"][label]))
        counts.append(inside)
    spent = time.process_time() - began
    return {
        "events": events,
        "counts": counts,
        "cpu_ms": spent / len(frames) * 1e3,
        "tracker_ms": chain.tracking / len(frames) * 1e3,
    }


class Film:
    """The whole chain on the first frames of a film."""

    def __init__(self) -> None:
        self._detectors: dict[str, Detector] = {}

    def run(self, request: dict[str, Any]) -> dict[str, object]:
        """CPU and wall time a frame."""
        import cv2

        detector = self._detectors.setdefault(
            request["model"], Detector(request["model"], request["track"]["low"])
        )
        chain, inference = Chain(request, request["fps"]), detector.inference_s
        events: list[tuple[float, str, str]] = []
        cpu, wall = time.process_time(), time.monotonic()
        capture = cv2.VideoCapture(request["film"])
        for number in range(request["frames"]):
            _, pixels = capture.read()
            boxes = detector.boxes(pixels, is_rgb=False)
            at = number / request["fps"]
            crossed, _ = chain.take(boxes._replace(time=at))
            events += [(at, name, request["labels"][label]) for name, label in crossed]
        spent, passed = time.process_time() - cpu, time.monotonic() - wall
        model_s = detector.inference_s - inference
        return {
            "cpu_ms": spent / request["frames"] * 1e3,
            "wall_ms": passed / request["frames"] * 1e3,
            "rest_ms": (spent - model_s) / request["frames"] * 1e3,
            "events": events,
        }


def main() -> None:
    """Answer requests until there are no more."""
    warnings.filterwarnings("ignore")
    film = Film()
    serve(lambda request: film.run(request) if "film" in request else count(request))


if __name__ == "__main__":
    main()
