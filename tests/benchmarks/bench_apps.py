"""Tracks, lines and zones of apps, against trackers and supervision in plain Python.

    python -m tests.benchmarks.bench_apps --peer-python VENV/bin/python

The peer's interpreter needs trackers 2.6, supervision 0.31, opencv-python and onnxruntime. Both
sides count the same boxes: those of a detector on a public film of pedestrians, and those of
composed traffic with fresh seeds. The detector is not in the repository: see ``apps.nanodet``.
Without a peer or a detector those parts of the result are null. All times are on one core, with the
two sides in alternating order in every round. "with ours" is the app that the studio makes of the
detector, against the peer with the float detector (see ``apps.with_ours``).
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from studio.runtime.bench.statistics.verdicts import compare
from tests.benchmarks.apps import vtest, with_ours
from tests.benchmarks.apps.parts import Boxes, Detector, save_boxes
from tests.benchmarks.apps.scores import Crossing, Score, mean_error, score
from tests.rigs import traffic

ROOT = Path(__file__).parents[2]
RIGS = Path.home() / ".cache" / "edgewright-rigs" / "apps"
FILM = Path("/usr/share/doc/opencv-doc/examples/data/vtest.avi")
FPS = 10.0
TOLERANCE_S = 0.3
TRACK = {"threshold": 0.5, "low": 0.1, "keep_s": 2.0}
PEERS = ("bytetrack", "sort")
GOALS = {
    "f1": 0.97, "f1 every second frame": 0.95, "zone error": 0.4, "f1 hard": 0.97,
    "speed error": 0.02, "tracker ms": 1.0, "rest ms": 8.0, "frames a second": 0.95,
    "frames a second, with ours": 1.3,
}  # fmt: skip


class Worker:
    """One side of the comparison, in a process of its own."""

    def __init__(self, command: Sequence[str]) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def call(self, request: Mapping[str, object]) -> dict[str, Any]:
        """Return its answer to a request."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """End it."""
        self._process.communicate()


Side = tuple[str, with_ours.Caller]


def film_boxes(model: Path, film: Path) -> list[Boxes]:
    """What the detector finds in each frame of the film."""
    import cv2

    detector, capture = Detector(str(model), TRACK["low"]), cv2.VideoCapture(str(film))
    frames: list[Boxes] = []
    while True:
        read, pixels = capture.read()
        if not read:
            return frames
        boxes = detector.boxes(pixels, is_rgb=False)
        frames.append(boxes._replace(time=len(frames) / FPS))


def film_request(labels: Mapping[str, Any], boxes: Path) -> dict[str, object]:
    """The app of the film. A line's first name is its left hand, as the labels' ``a`` is."""
    line = {"start": labels["line"]["from"], "end": labels["line"]["to"]}
    return {
        "boxes": str(boxes), "labels": ["person"], "fps": FPS, "track": TRACK,
        "line": {**line, "names": ["b_to_a", "a_to_b"]}, "area": labels["zone"],
        "every": 1, "offset": 0,
    }  # fmt: skip


def film_quality(
    sides: Sequence[Side], request: Mapping[str, object], labels: Mapping[str, Any]
) -> dict[str, object]:
    """Crossings and counts against the hand labels, at every frame and every second one."""
    true: list[Crossing] = [
        (one["frame"] / FPS, one["direction"], "person") for one in labels["crossings"]
    ]
    counts = {one["frame"]: one["persons"] for one in labels["counts"]}
    found: dict[str, object] = {}
    for name, worker in sides:
        rows = {}
        for every, offset in ((1, 0), (2, 0), (2, 1)):
            some = {**request, "peer": name, "every": every, "offset": offset}
            answer = worker.call(some)
            row: dict[str, object] = {**score(answer["events"], true, TOLERANCE_S).to_json()}
            error = mean_error(answer["counts"], counts, every, offset)
            row["zone_error"] = None if error != error else round(error, 4)
            rows[f"every {every} from {offset}"] = row
        found[name] = rows
    return found


def composed(
    sides: Sequence[Side], folder: Path, scenes: Sequence[traffic.Scene]
) -> dict[str, object]:
    """Crossings of composed scenes: all together, and how many scenes are exact."""
    found = {name: Score(0, 0, 0) for name, _ in sides}
    exact = dict.fromkeys(found, 0)
    labels = ["person", "car", "truck", "bicycle"]
    (left, top), (right, bottom) = traffic.LINE
    request = {
        "labels": labels, "fps": traffic.FPS, "track": TRACK, "every": 1, "offset": 0,
        "line": {"start": [left, top], "end": [right, bottom], "names": ["in", "out"]},
        "area": [[440, 100], [840, 100], [840, 700], [440, 700]],
    }  # fmt: skip
    for number, scene in enumerate(scenes):
        path = folder / f"scene-{number}.npz"
        save_boxes(path, [_boxes(stamp.time, seen, labels) for stamp, seen in scene.frames()])
        true = [(one.crossing, one.direction, one.label) for one in scene.movers]
        for name, worker in sides:
            answer = worker.call({**request, "peer": name, "boxes": str(path)})
            one = score(answer["events"], true, 1.0)
            found[name] = found[name].plus(one)
            exact[name] += one.missed == one.false == 0
    return {
        name: {**one.to_json(), "exact": exact[name], "scenes": len(scenes)}
        for name, one in found.items()
    }


def _boxes(time: float, seen: Any, labels: Sequence[str]) -> Boxes:
    classes = np.array([labels.index(one) for one in seen.labels], np.int64)
    return Boxes(time, seen.corners, seen.scores, classes)


def speeds(scenes: Sequence[traffic.Scene]) -> dict[str, float]:
    """Relative errors of speeds between two lines; trackers and supervision measure none."""
    from studio.runtime.apps.items import FrameStamp, Objects
    from tests.benchmarks.apps.ours import step

    errors: list[float] = []
    for scene in scenes:
        track = step("track", TRACK)
        lines = [list(line) for line in traffic.SPEED_LINES]
        distance = (lines[1][0] - lines[0][0]) / traffic.PIXELS_PER_METRE
        speed = step("speed", {"lines": lines, "distance_m": distance})
        frame: tuple[FrameStamp, Objects]
        for frame in scene.frames():
            tracks = track.process(*frame).value
            for event in speed.process(frame[0], tracks).events:
                at, label = frame[0].time, event.details["label"]
                errors.append(traffic.speed_error(at, label, event.details["m_s"], scene))
    return {
        "speeds": len(errors),
        "vehicles": sum(len(scene.movers) for scene in scenes),
        "median_error": round(statistics.median(errors), 5),
        "p95_error": round(float(np.quantile(errors, 0.95)), 5),
    }


def timed(
    sides: Sequence[Side], request: Mapping[str, object], keys: Sequence[str], rounds: int
) -> dict[str, object]:
    """Times of each side in interleaved rounds, with ratios peer / ours and intervals."""
    times: dict[str, list[dict[str, Any]]] = {name: [] for name, _ in sides}
    for number in range(rounds + 1):
        for name, worker in sides if number % 2 else sides[::-1]:
            answer = worker.call({**request, "peer": name})
            if number:  # the first round warms both up
                times[name].append(answer)
    found: dict[str, object] = {
        "rounds": rounds,
        "events": {name: _events(rows[0]["events"]) for name, rows in times.items()},
    }
    for key in keys:
        rounds_of = {name: [row[key] for row in rows] for name, rows in times.items()}
        found[key] = {name: round(statistics.median(row), 4) for name, row in rounds_of.items()}
        found[f"{key}, peer to ours"] = _ratios(rounds_of)
    return found


def _ratios(rounds: Mapping[str, Sequence[float]]) -> dict[str, dict[str, float | None]]:
    """Ratio of each peer's time to ours, with its interval."""
    verdicts, _ = compare("ours", rounds)
    return {
        one.b: {
            name: None if value is None else round(value, 4)
            for name, value in (("ratio", one.ratio), ("low", one.low), ("high", one.high))
        }
        for one in verdicts
    }


def _events(found: object) -> object:
    return len(found) if isinstance(found, list) else found


def sides_of(stack: ExitStack, peer_python: Path | None) -> list[Side]:
    """Our worker, and one for each tracker of the peer."""
    commands = {"ours": [sys.executable, "-m", "tests.benchmarks.apps.ours"]}
    if peer_python is not None:
        script = str(ROOT / "tests" / "benchmarks" / "apps" / "peer.py")
        commands.update((name, [str(peer_python), script]) for name in PEERS)
    return [(name, opened(stack, command)) for name, command in commands.items()]


def opened(stack: ExitStack, command: Sequence[str]) -> Worker:
    """A worker that ends with the stack."""
    worker = Worker(command)
    stack.callback(worker.close)
    return worker


def on_film(given: argparse.Namespace, sides: Sequence[Side], folder: Path) -> dict[str, object]:
    """All parts that need the detector and the labels."""
    labels = vtest.LABELS
    path = folder / "film.npz"
    save_boxes(path, film_boxes(given.model, given.film))
    request = film_request(labels, path)
    whole = {**request, "film": str(given.film), "model": str(given.model), "frames": given.frames}
    pair = [one for one in sides if one[0] != "sort"]
    return {
        "quality": film_quality(sides, request, labels),
        "tracker, line and zone": timed(sides, request, ("cpu_ms", "tracker_ms"), given.rounds),
        "from film to events": timed(
            pair, whole, ("cpu_ms", "wall_ms", "rest_ms"), given.film_rounds
        ),
    }


def with_our_detector(
    given: argparse.Namespace, sides: Sequence[Side], folder: Path, stack: ExitStack
) -> dict[str, object] | None:
    """The app of a bundle with the quantized detector, and the peer with the float one."""
    peers = [one for one in sides if one[0] == "bytetrack"]
    if not peers:
        return None
    request = film_request(vtest.LABELS, folder / "film.npz")
    whole = {**request, "film": str(given.film), "model": str(given.model), "frames": given.frames}
    worker = opened(stack, [sys.executable, "-m", "tests.benchmarks.apps.bundled"])
    made = with_ours.bundles(folder / "with-ours", given.model, given.film, request)
    ours: list[Side] = [(name, with_ours.Bundled(worker, one)) for name, one in made.items()]
    theirs = with_ours.float_boxes(given.model, given.film, TRACK["low"])
    return {
        "from film to events": timed(
            [*ours, *peers], whole, ("cpu_ms", "wall_ms"), given.film_rounds
        ),
        "boxes": {name: with_ours.boxes(side, whole, theirs) for name, side in ours[:1]},
        "events": with_ours.events([ours[0], *peers], whole, vtest.FRAMES, FPS),
    }


def main() -> int:
    """Measure what is here, and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--peer-python", type=Path, help="interpreter with the peer's packages")
    parser.add_argument("--film", type=Path, default=FILM)
    parser.add_argument("--model", type=Path, default=RIGS / "detector" / "model.onnx")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--film-rounds", type=int, default=12)
    parser.add_argument("--frames", type=int, default=100, help="of the film, from file to events")
    parser.add_argument("--scenes", type=int, default=10, help="composed scenes of each sort")
    parser.add_argument("--seed", type=int, help="of the first scene; a fresh one by default")
    parser.add_argument("--with-ours-alone", action="store_true", help="leave out all other parts")
    given = parser.parse_args()
    first = secrets.randbelow(10**6) if given.seed is None else given.seed
    seeds = range(first, first + given.scenes)
    dropped = replace(traffic.CLEAN, dropped=0.2)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        sides, place = sides_of(stack, given.peer_python), Path(folder)
        there = given.film.exists() and given.model.exists()
        document: dict[str, object] = {
            "name": "apps",
            "peer": "trackers and supervision in plain Python",
            "goals": GOALS,
            "seed": first,
        }
        if not given.with_ours_alone:
            document.update(
                {
                    "clean": composed(sides, place, [traffic.street(seed) for seed in seeds]),
                    "hard": composed(sides, place, [traffic.crowd(seed) for seed in seeds]),
                    "speed": speeds([traffic.street(seed) for seed in seeds]),
                    "speed, 20 % dropped": speeds(
                        [traffic.street(seed, 24, dropped) for seed in seeds]
                    ),
                    "film": on_film(given, sides, place) if there else None,
                }
            )
        document["with ours"] = with_our_detector(given, sides, place, stack) if there else None
        document["load"] = os.getloadavg()[0]
    print(json.dumps(document, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
