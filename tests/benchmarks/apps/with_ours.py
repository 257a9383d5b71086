"""Comparison of a plain Python chain with the app that the studio makes of the same detector.

The peer runs the float detector. Ours is a bundle whose detector went through ``studio quantize``
under a budget, calibrated on some of the first frames of the film. Answers are compared on the
frames after those, times on the first frames, in rounds in which both sides take part.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from tests.benchmarks.apps import vtest
from tests.benchmarks.apps.parts import Detector, picture_input
from tests.benchmarks.apps.scores import Crossing, score

CALIBRATED = 200
"""First frames of the film, of which some calibrate the detector."""
EACH = 3
SEEN = 5
"""Of the frames after those, each such one is compared box by box."""
BUDGET = 0.01
"""Most that the cosine similarity of the outputs may lose."""
TOLERANCE_S = 0.3
CERTAIN, POSSIBLE, COVERED = 0.5, 0.3, 0.5

Rows = Sequence[Sequence[float]]
"""Boxes of a picture: left, top, right, bottom, score."""


class Caller(Protocol):
    """A side of a comparison, which answers requests."""

    def call(self, request: Mapping[str, object]) -> dict[str, Any]:
        """Return its answer."""


class Bundled(NamedTuple):
    """Our worker with one of its bundles."""

    worker: Caller
    bundle: Path

    def call(self, request: Mapping[str, object]) -> dict[str, Any]:
        """Return the answer of the app in the bundle."""
        return self.worker.call({**request, "bundle": str(self.bundle)})


def quantized(folder: Path, model: Path, film: Path) -> Path:
    """Make the detector's int8 variant with the studio's command and its defaults.

    Raises:
        CalledProcessError: when the budget is not met.
    """
    import cv2

    capture, frames = cv2.VideoCapture(str(film)), []
    for number in range(CALIBRATED):
        pixels = capture.read()[1]
        if number % EACH == 0:
            frames.append(picture_input(pixels, is_rgb=False)[0])
    data, made = folder / "calibration.npz", folder / "int8.onnx"
    np.savez(data, input=np.stack(frames))
    main = "import sys; from studio.cli.main import main; sys.exit(main())"
    words = ["quantize", str(model), "--data", str(data), "--samples", "64", "--metric", "cosine"]
    words += ["--max-drop", str(BUDGET), "--out", str(made)]
    environment = {**os.environ, "EDGEWRIGHT_HOME": str(folder / "home")}
    subprocess.run(
        [sys.executable, "-c", main, *words], env=environment, check=True, stdout=sys.stderr
    )
    return made


def bundles(folder: Path, model: Path, film: Path, request: Mapping[str, Any]) -> dict[str, Path]:
    """Package the app with the quantized detector, and with the float one."""
    folder.mkdir()
    made = {"ours": quantized(folder, model, film), "ours, float": model}
    found = {}
    for number, (name, file) in enumerate(made.items()):
        found[name] = vtest.bundle_of(folder / f"app-{number}", file, request).folder
    return found


def events(
    sides: Sequence[tuple[str, Caller]], request: Mapping[str, Any], frames: int, fps: float
) -> dict[str, object]:
    """Crossings of the whole film, against the hand labels and against those of the peer."""
    found = {
        name: [
            (time, direction, label)
            for time, direction, label in side.call({**request, "peer": name, "frames": frames})[
                "events"
            ]
        ]
        for name, side in sides
    }
    true: list[Crossing] = [
        (one["frame"] / fps, one["direction"], "person") for one in vtest.LABELS["crossings"]
    ]
    begin = CALIBRATED / fps
    return {
        name: {
            "events": len(rows),
            "f1": score(rows, true, TOLERANCE_S).to_json(),
            "f1 after calibration frames": score(
                _after(rows, begin), _after(true, begin), TOLERANCE_S
            ).to_json(),
            "f1 against the peer's": score(rows, found[sides[-1][0]], TOLERANCE_S).to_json(),
        }
        for name, rows in found.items()
    }


def _after(rows: Sequence[Crossing], begin: float) -> list[Crossing]:
    return [row for row in rows if row[0] >= begin]


def float_boxes(model: Path, film: Path, low: float) -> list[Rows]:
    """What the float detector finds in the frames that are compared box by box."""
    import cv2

    detector, capture = Detector(str(model), low), cv2.VideoCapture(str(film))
    found, number = list[Rows](), 0
    while capture.grab():
        if number >= CALIBRATED and (number - CALIBRATED) % SEEN == 0:
            one = detector.boxes(capture.retrieve()[1], is_rgb=False)
            found.append(np.column_stack([one.corners, one.scores]).tolist())
        number += 1
    return found


def boxes(
    side: Caller, request: Mapping[str, Any], theirs: Sequence[Rows]
) -> dict[str, float | int]:
    """Boxes of the app next to those of the float detector, on frames after the calibration."""
    wanted = {**request, "wanted": "boxes", "first": CALIBRATED, "every": SEEN}
    mine: list[Rows] = side.call(wanted)["frames"]
    pairs = [_matched(first, second) for first, second in zip(theirs, mine, strict=True)]
    back = [_matched(second, first) for first, second in zip(theirs, mine, strict=True)]
    overlaps = np.array([pair for some in pairs for pair in some])
    found = overlaps[overlaps[:, 0] >= COVERED]
    extra = np.array([pair[0] < COVERED for some in back for pair in some])
    return {
        "frames": len(mine),
        "boxes": len(overlaps),
        "found": round(len(found) / len(overlaps), 4),
        "extra": round(float(extra.mean()), 4),
        "mean_iou": round(float(found[:, 0].mean()), 4),
        "mean_score_difference": round(float(found[:, 1].mean()), 4),
    }


def _matched(ones: Rows, others: Rows) -> list[tuple[float, float]]:
    """Best overlap of each certain box with a possible one, and the difference of the scores."""
    possible = [one for one in others if one[4] >= POSSIBLE]
    found = []
    for one in ones:
        if one[4] >= CERTAIN:
            best = max(((_overlap(one, other), other[4]) for other in possible), default=(0.0, 0.0))
            found.append((best[0], abs(one[4] - best[1])))
    return found


def _overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """Intersection over union."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0.0) * max(height, 0.0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return shared / (sum(areas) - shared)
