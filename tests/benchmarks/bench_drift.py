"""Drift on the target: false alarms, frames until a fault is found, time and state of the watch.

Prints one JSON document. Fixed seeds. For false alarms the data are split anew again and again: one
part is the reference, the other a stream in which nothing has changed. The faults begin at a frame
of a window that is drawn. The peer is the usual index of stability (PSI above 0.2 in a window of
the same size, over the same bins of the same signals).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from sklearn.datasets import load_digits

from studio.api import Extension
from studio.api.progress import Silent
from studio.packages.drift_reference import reference_of
from studio.packages.embedding import EmbeddingGraph, axes_of, place_of, vectors_of
from studio.plugin_host import PluginHost
from studio.runtime.drift.reference import EMBEDDING, WINDOW, Reference
from studio.runtime.drift.watch import MOST_FRAMES_S, DriftWatch
from studio.runtime.drift.window import WindowVerdict
from tests.benchmarks.zoo import words
from tests.benchmarks.zoo.entries import entry

Array = np.ndarray[Any, Any]
Frame = tuple[Mapping[str, Array], Mapping[str, Array]]
PATIENCE = 300
PSI = 0.2


class Subject:
    """A model with data of one kind.

    Attributes:
        low, high: The smallest and the largest value of a picture.
    """

    def __init__(self, name: str, path: Path, pictures: list[Array], embedded: bool) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.name = name
        content = path.read_bytes()
        if embedded:
            form = PluginHost.discover().get(Extension.FORMAT, "onnx")
            content = EmbeddingGraph(place_of(form.read(path, Silent()))).apply(content)
        self._axes: tuple[Array, Array] | None = None
        self._session = onnxruntime.InferenceSession(content, options)
        self._input = self._session.get_inputs()[0].name
        self._outputs = [output.name for output in self._session.get_outputs()]
        self.low = min(float(one.min()) for one in pictures)
        self.high = max(float(one.max()) for one in pictures)
        self.pictures = pictures
        self.frames = [self.frame(one) for one in pictures]

    def frame(self, picture: Array) -> Frame:
        """A request with one picture, and its answer."""
        feeds = {self._input: picture[None].astype(np.float32)}
        return feeds, dict(zip(self._outputs, self._session.run(None, feeds), strict=True))

    def fit(self, frames: list[Frame]) -> None:
        """Let the axes of the embedding be those of some frames, as packaging does."""
        if EMBEDDING in self._outputs:
            self._axes = axes_of(vectors_of((outputs, 1) for _, outputs in frames))

    def seen(self, frame: Frame) -> Frame:
        """What the watch sees of it: the embedding along its axes, as the graph computes it."""
        if self._axes is None:
            return frame
        inputs, outputs = frame
        axes, offset = self._axes
        return inputs, {**outputs, EMBEDDING: outputs[EMBEDDING] @ axes + offset}


def digits(embedded: bool = False) -> Subject:
    """The studio's sample, with all of scikit-learn's pictures."""
    pictures = (load_digits().images / 16).astype(np.float32)[:, None]
    return Subject("digits", entry("digits").folder() / "model.onnx", list(pictures), embedded)


def lines(embedded: bool = False, count: int = 600) -> Subject:
    """PP-OCRv5's recogniser, with rendered words."""
    with tempfile.TemporaryDirectory() as name:
        pictures = [one["x"][0] for one in words.more(Path(name), count)]
    return Subject("ocr lines", entry("ppocr-rec").folder() / "model.onnx", pictures, embedded)


def faults(subject: Subject, draws: np.random.Generator) -> dict[str, Callable[[Array], Array]]:
    """What may happen to a camera, in the units of the model's input."""
    span, low = subject.high - subject.low, subject.low

    def noise(picture: Array) -> Array:
        dirty: Array = picture + draws.normal(0, 0.15 * span, picture.shape)
        return dirty.clip(low, subject.high)

    def blur(picture: Array) -> Array:
        softer = picture
        for _ in range(max(1, picture.shape[-2] // 12)):
            for axis in (-1, -2):
                sides = np.roll(softer, 1, axis) + np.roll(softer, -1, axis)
                softer = (sides + 2 * softer) / 4
        return softer

    def shift(picture: Array) -> Array:
        return np.roll(picture, max(1, picture.shape[-2] // 8), axis=-2)

    def occlusion(picture: Array) -> Array:
        covered = picture.copy()
        height, width = picture.shape[-2:]
        covered[:, : height // 2, : width // 2] = low
        return covered

    def dimming(picture: Array) -> Array:
        return low + 0.7 * (picture - low)

    def mirror(picture: Array) -> Array:
        """Nothing that is measured of a picture changes by it, only what is on it."""
        other: Array = picture[..., ::-1]
        return other

    return {one.__name__: one for one in (noise, blur, shift, occlusion, dimming, mirror)}


def splits(subject: Subject, count: int) -> Iterator[tuple[Reference, list[Frame], list[int]]]:
    """References, each with the frames that were not used for it, and their numbers."""
    for seed in range(count):
        order = np.random.default_rng(seed).permutation(len(subject.frames)).tolist()
        half = len(order) // 2
        subject.fit([subject.frames[number] for number in order[:half]])
        reference = reference_of(subject.seen(subject.frames[number]) for number in order[:half])
        assert reference is not None
        rest = order[half:]
        yield reference, [subject.seen(subject.frames[number]) for number in rest], rest


def false_alarms(subject: Subject, windows: int) -> dict[str, Any]:
    """Over streams in which nothing has changed."""
    judged = alarms = differing = unstable = 0
    each = len(subject.frames) // 2 // WINDOW
    for reference, stream, _ in splits(subject, -(-windows // each)):
        psi: list[float] = []
        watch = DriftWatch(reference, _hearing(psi))
        for frame in stream:
            watch.observe(*frame)
        if watch.fault:
            raise RuntimeError(watch.fault)
        judged += watch.alarm.windows
        alarms += watch.alarm.raised
        differing += watch.alarm.differing
        unstable += sum(value > PSI for value in psi)
    return {
        "windows": judged,
        "alarms": alarms,
        "windows_beyond": differing,
        "psi_alarms": unstable,
        "goal": "met" if alarms * 1000 <= judged else "missed",
    }


def _hearing(psi: list[float]) -> Callable[[WindowVerdict, DriftWatch], None]:
    def hear(verdict: WindowVerdict, watch: DriftWatch) -> None:
        psi.append(_psi(verdict, watch))

    return hear


def _psi(verdict: WindowVerdict, watch: DriftWatch) -> float:
    """The largest index of stability of a window's signals."""
    expected = watch.reference.expected()
    there = expected > 0
    shares = np.maximum(verdict.counts / watch.reference.window, 1e-4)
    terms = (shares - expected) * np.log(shares / np.where(there, expected, 1.0))
    return float(np.where(there, terms, 0.0).sum(axis=1).max())


def detections(subject: Subject, trials: int) -> dict[str, Any]:
    """Frames from the first altered one until the alarm."""
    found: dict[str, list[int]] = {}
    for number, (reference, stream, numbers) in enumerate(splits(subject, trials)):
        draws = np.random.default_rng(1000 + number)
        for name, alter in faults(subject, draws).items():
            watch = DriftWatch(reference)
            begin = 2 * WINDOW + int(draws.integers(WINDOW))
            for frame in stream[:begin]:
                watch.observe(*frame)
            found.setdefault(name, []).append(_until_alarm(subject, watch, numbers[begin:], alter))
    return {
        name: {"frames": counts, "goal": "met" if max(counts) <= 100 else "missed"}
        for name, counts in found.items()
    }


def _until_alarm(
    subject: Subject, watch: DriftWatch, numbers: list[int], alter: Callable[[Array], Array]
) -> int:
    for seen in range(PATIENCE):
        picture = subject.pictures[numbers[seen % len(numbers)]]
        watch.observe(*subject.seen(subject.frame(alter(picture))))
        if watch.alarm.on:
            return seen + 1
    return PATIENCE + 1


def cost(subject: Subject) -> dict[str, Any]:
    """Processor time of a request in the watch, and what it keeps.

    Once over a few frames again and again, which lie in the processor's caches as what a server
    has just received and answered does; once over all of them, which have to come from memory;
    once as the server does it, which looks at so many frames a second; and once after each answer
    of the model, which leaves neither the frame nor the watch's own code in the nearest caches.
    """
    reference, stream, _ = next(splits(subject, 1))
    near = _times(reference, stream[:8], math.inf)
    watch = DriftWatch(reference)
    for frame in stream[: 4 * WINDOW]:
        watch.observe(*frame)
    state = watch.state_bytes
    return {
        "us_a_request": near,
        "us_from_memory": _times(reference, stream, math.inf),
        "us_under_load": _times(reference, stream[:8], MOST_FRAMES_S),
        "after_an_answer": _after_answers(subject, reference),
        "state_bytes": state,
        "signals": len(reference.signals),
        "goal": "met" if near["least"] <= 10 and state <= 4096 else "missed",
    }


def _times(reference: Reference, stream: list[Frame], frames_s: float) -> dict[str, float]:
    times = []
    draws = np.random.default_rng(0)
    rounds = -(-640 // len(stream))
    for _ in range(9):
        watch = DriftWatch(reference, frames_s=frames_s)
        order = np.concatenate([draws.permutation(len(stream)) for _ in range(rounds)])
        start = time.thread_time()  # not of the process: threads of BLAS still spin after a fit
        for number in order.tolist():
            watch.observe(*stream[number])
        times.append((time.thread_time() - start) / len(order) * 1e6)
        assert not watch.fault
        assert watch.stride == 1
    return {"median": statistics.median(times), "least": min(times)}


def _after_answers(subject: Subject, reference: Reference) -> dict[str, float]:
    """Microseconds of a request in the watch, and their share of what its answer takes."""
    watch = DriftWatch(reference)
    clock, answering, seeing = time.thread_time, 0.0, 0.0
    pictures = subject.pictures[: 8 * WINDOW]
    for picture in pictures:
        begun = clock()
        frame = subject.seen(subject.frame(picture))
        answered = clock()
        watch.observe(*frame)
        seeing += clock() - answered
        answering += answered - begun
    return {"us": seeing / len(pictures) * 1e6, "share": seeing / answering}


def main() -> int:
    """Measure both models."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--windows", type=int, default=1000)
    parser.add_argument("--trials", type=int, default=6)
    parser.add_argument("--embedding", action="store_true", help="with what the last layer sees")
    parser.add_argument("--only", action="append", choices=("digits", "lines"))
    given = parser.parse_args()
    document: dict[str, Any] = {"name": "drift", "peer": f"PSI > {PSI}", "window": WINDOW}
    known = {"digits": digits, "lines": lines}
    for name in given.only or known:
        subject = known[name](given.embedding)
        document[subject.name] = {
            "false_alarms": false_alarms(subject, given.windows),
            "found_after": detections(subject, given.trials),
            "cost": cost(subject),
        }
    document["load"] = os.getloadavg()[0]
    print(json.dumps(document, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
