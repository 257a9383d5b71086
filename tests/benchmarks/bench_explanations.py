"""Explanations against shap, captum and OpenVINO XAI: time, agreement, known places, curves.

    python -m tests.benchmarks.bench_explanations --peer-python VENV/bin/python

The peer's interpreter needs shap, captum, openvino_xai, torch, onnx and onnxruntime. It trains a
small classifier of composed pictures, whose digits have known places, and all methods explain the
same pictures with equal numbers of evaluations. Deletion and insertion are computed here for the
maps of all methods. Rows are explained by models of random weights, whose exact Shapley values are
known. Sides run in alternating order in every round.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from studio.features.evidence.explanations.agreement import points_at, rank_correlation
from studio.features.evidence.explanations.curves import curves
from studio.features.evidence.explanations.methods.attribution import Attribution
from studio.features.evidence.explanations.methods.occlusion import finest_windows
from studio.features.evidence.explanations.methods.perturbation import Perturbation, each
from tests.benchmarks.bench_apps import Worker
from tests.benchmarks.explanations.scenes import (
    SIDE,
    Scenes,
    composed,
    row_network,
    wide_network,
)

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "resources" / "samples" / "digits" / "heldout.npz"
Request = dict[str, Any]
PARTS = ("pictures", "large pictures", "linear rows", "rows", "gradients")
STEPS = 64
"""Of integrated gradients, on both sides."""


class Sides:
    """Both workers, and the folder of the files between them."""

    def __init__(self, stack: ExitStack, folder: Path, peer: Path) -> None:
        script = str(ROOT / "tests" / "benchmarks" / "explanations" / "peer.py")
        ours = [sys.executable, "-m", "tests.benchmarks.explanations.ours"]
        self._workers = {"ours": Worker(ours), "peer": Worker([str(peer), script])}
        for worker in self._workers.values():
            stack.callback(worker.close)
        self.folder = folder
        self._numbers = itertools.count()

    def call(self, side: str, request: Request) -> dict[str, Any]:
        """Return the answer of one side."""
        return self._workers[side].call(request)

    def maps(self, side: str, request: Request) -> tuple[np.ndarray, dict[str, Any]]:
        """Return the maps of all samples, and their times."""
        out = self.folder / f"maps-{next(self._numbers)}.npz"
        answer = self.call(side, {**request, "out": str(out)})
        with np.load(out) as file:
            return file["maps"], answer


def saved(folder: Path, name: str, samples: np.ndarray, classes: np.ndarray) -> str:
    """Write the samples of a request."""
    path = folder / name
    np.savez(path, samples=samples, classes=classes)
    return str(path)


def compared(
    sides: Sides, methods: Mapping[str, tuple[str, Request]], rounds: int
) -> tuple[dict[str, np.ndarray], dict[str, dict[str, float]]]:
    """Run methods in alternating order; returns the maps of the last round, and times.

    Args:
        methods: Side and request of each method.
    """
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in methods}
    maps: dict[str, np.ndarray] = {}
    for number in range(rounds + 1):
        order = list(methods) if number % 2 else list(methods)[::-1]
        for name in order:
            side, request = methods[name]
            maps[name], answer = sides.maps(side, request)
            if number:  # the first round warms up
                times[name] += zip(answer["wall_s"], answer["cpu_s"], strict=True)
    figures = {}
    for name, rows in times.items():
        wall, busy = zip(*rows, strict=True)
        figures[name] = {
            "wall_s": round(statistics.median(wall), 5), "cpu_s": round(statistics.median(busy), 5)
        }  # fmt: skip
    return maps, figures


class SceneModel:
    """The classifier in this process, for curves."""

    def __init__(self, path: Path) -> None:
        import onnxruntime

        self._session = onnxruntime.InferenceSession(str(path))
        self.kind = 0

    def scores(self, batch: np.ndarray) -> np.ndarray:
        """Return the scores of the class ``kind``."""
        found: np.ndarray = self._session.run(None, {"x": batch})[0][:, self.kind]
        return found.astype(np.float64)


def judged(model: SceneModel, scenes: Scenes, found: np.ndarray) -> dict[str, float]:
    """Return hits of the pointing game and mean areas of the curves, for the first digits."""
    hits, deleted, inserted = [], [], []
    for number, values in enumerate(found):
        picture = scenes.pictures[number : number + 1]
        model.kind = int(scenes.labels[number, 0])
        altered = Perturbation(picture, np.zeros_like(picture), (2, 3), each((SIDE, SIDE)))
        drawn = curves(model, altered, Attribution(values.astype(np.float64)), 32)
        hits.append(points_at(values, scenes.boxes[number, 0]))
        deleted.append(drawn.deletion_area)
        inserted.append(drawn.insertion_area)
    return {
        "pointing_game": round(statistics.mean(hits), 4),
        "deletion": round(statistics.mean(deleted), 4),
        "insertion": round(statistics.mean(inserted), 4),
    }


def known_scenes(model: Path, count: int, seed: int) -> Scenes:
    """Return pictures of digits that were not trained with.

    The model finds the first digit, and does not find it when its place is grey: only then is the
    place of the digit that of the score.
    """
    with np.load(DIGITS) as file:
        digits, labels = file["image"][300:], file["labels"][300:]
    scenes = composed(digits, labels, 4 * count, seed)
    reader = SceneModel(model)
    sure = []
    for number, kind in enumerate(scenes.labels[:, 0]):
        reader.kind = int(kind)
        left, top, right, bottom = scenes.boxes[number, 0].astype(int)
        both = np.repeat(scenes.pictures[number : number + 1], 2, axis=0)
        both[1, :, top:bottom, left:right] = 0.125
        found, without = reader.scores(both)
        sure.append(found >= 0.8 and without <= 0.3)
    chosen = np.flatnonzero(sure)[:count]
    return Scenes(*(part[chosen] for part in scenes))


def windows_of(evaluations: int) -> dict[str, int]:
    """Return edge and stride of the windows of our occlusion, for the peer to use the same."""
    windows = finest_windows((SIDE, SIDE), evaluations - 1) or []
    first, second = (one[1] for one in windows[:2])
    return {"window": first.stop - first.start, "stride": second.start - first.start}


def on_pictures(sides: Sides, model: Path, given: argparse.Namespace) -> dict[str, object]:
    """All methods on composed pictures."""
    scenes = known_scenes(model, given.pictures, given.seed)
    kinds = scenes.labels[:, 0]
    samples = saved(sides.folder, "scenes.npz", scenes.pictures, kinds)
    common: Request = {
        "model": str(model), "samples": samples, "seed": given.seed,
        "evaluations": given.evaluations, "cells": 7, **windows_of(given.evaluations),
    }  # fmt: skip
    methods: dict[str, tuple[str, Request]] = {
        "ours rise": ("ours", {**common, "method": "rise"}),
        "openvino_xai rise": ("peer", {**common, "method": "xai-rise"}),
        "openvino_xai rise, 8 cells": ("peer", {**common, "method": "xai-rise", "cells": 8}),
        "ours occlusion": ("ours", {**common, "method": "occlusion"}),
        "captum occlusion": ("peer", {**common, "method": "occlusion"}),
        "ours kernel-shap": ("ours", {**common, "method": "kernel-shap"}),
        "captum kernel-shap": ("peer", {**common, "method": "captum-shap"}),
    }
    maps, times = compared(sides, methods, given.rounds)
    reader = SceneModel(model)
    rows = {name: {**times[name], **judged(reader, scenes, maps[name])} for name in methods}
    for name, (side, request) in methods.items():
        again, _ = sides.maps(side, {**request, "seed": given.seed + 10_000})
        rows[name]["repeatability"] = _mean_agreement(maps[name], again)
    pairs = [("ours occlusion", "captum occlusion"), ("ours rise", "openvino_xai rise"),
             ("ours kernel-shap", "captum kernel-shap")]  # fmt: skip
    return {
        "pictures": len(kinds), "evaluations": given.evaluations, "methods": rows,
        "rank agreement": {f"{a} / {b}": _mean_agreement(maps[a], maps[b]) for a, b in pairs},
    }  # fmt: skip


def on_large_pictures(sides: Sides, given: argparse.Namespace) -> dict[str, object]:
    """Times on 224 pixels with an untrained network."""
    model = sides.folder / "wide.onnx"
    wide_network(model)
    pictures = np.random.default_rng(1).random((3, 3, 224, 224)).astype(np.float32)
    samples = saved(sides.folder, "large.npz", pictures, np.array([1, 2, 3]))
    evaluations = given.evaluations // 4
    common: Request = {
        "model": str(model), "samples": samples, "seed": 0, "evaluations": evaluations, "cells": 7,
    }  # fmt: skip
    methods: dict[str, tuple[str, Request]] = {
        "ours rise": ("ours", {**common, "method": "rise"}),
        "openvino_xai rise": ("peer", {**common, "method": "xai-rise"}),
        "ours kernel-shap": ("ours", {**common, "method": "kernel-shap"}),
        "captum kernel-shap": ("peer", {**common, "method": "captum-shap"}),
    }
    _, times = compared(sides, methods, given.rounds)
    return {"evaluations": evaluations, "methods": times}


def on_rows(
    sides: Sides, given: argparse.Namespace, features: int, hidden: int, evaluations: int
) -> dict[str, object]:
    """Kernel SHAP of three packages against exact Shapley values."""
    model = sides.folder / f"rows-{features}-{hidden}.onnx"
    row_network(model, features, hidden)
    rows = np.random.default_rng(2).normal(size=(given.pictures, features)).astype(np.float32)
    samples = saved(sides.folder, f"rows-{features}.npz", rows, np.zeros(len(rows), np.int64))
    common: Request = {
        "model": str(model), "samples": samples, "seed": 0, "evaluations": evaluations
    }  # fmt: skip
    methods: dict[str, tuple[str, Request]] = {
        "ours kernel-shap": ("ours", {**common, "method": "kernel-shap"}),
        "shap": ("peer", {**common, "method": "shap"}),
        "captum kernel-shap": ("peer", {**common, "method": "captum-shap"}),
    }
    exact, _ = sides.maps("ours", {**common, "method": "shapley", "evaluations": 1 << features})
    maps, times = compared(sides, methods, given.rounds)
    found = {
        name: {
            **times[name],
            "rank_with_exact": _mean_agreement(maps[name], exact),
            "largest_error": float(np.abs(maps[name] - exact).max().round(6)),
        }
        for name in methods
    }
    return {
        "features": features, "hidden": hidden, "evaluations": evaluations,
        "largest_exact": float(np.abs(exact).max().round(4)), "methods": found,
    }  # fmt: skip


def on_gradients(sides: Sides, given: argparse.Namespace) -> dict[str, object]:
    """Integrated gradients of two packages: the sample digits, scenes, and large pictures."""
    with np.load(DIGITS) as file:
        digits, kinds = file["image"][: given.pictures], file["labels"][: given.pictures]
    scenes_model = trained(sides, given)
    scenes = known_scenes(scenes_model, given.pictures, given.seed)
    wide = sides.folder / "wide-gradients.onnx"
    wide_network(wide)
    large = np.random.default_rng(1).random((3, 3, 224, 224)).astype(np.float32)
    cases = {
        "digits": (DIGITS.with_name("digits.onnx"), digits, kinds),
        "pictures": (scenes_model, scenes.pictures, scenes.labels[:, 0]),
        "large pictures": (wide, large, np.array([1, 2, 3])),
    }
    found: dict[str, object] = {"steps": STEPS}
    for name, (model, samples, classes) in cases.items():
        request: Request = {
            "model": str(model), "seed": 0, "evaluations": STEPS, "cells": 7,
            "samples": saved(sides.folder, f"gradients-{name}.npz", samples, classes),
            "method": "integrated-gradients",
        }  # fmt: skip
        methods = {"ours": ("ours", request), "captum": ("peer", request)}
        maps, times = compared(sides, methods, given.rounds)
        error = np.abs(maps["ours"] - maps["captum"]).reshape(len(samples), -1).max(axis=1)
        largest = np.abs(maps["captum"]).reshape(len(samples), -1).max(axis=1)
        found[name] = {
            **times, "samples": len(samples),
            "largest_relative_error": float((error / largest).max()),
            "rank_agreement": _mean_agreement(maps["ours"], maps["captum"]),
        }  # fmt: skip
    return found


def _mean_agreement(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> float:
    pairs: Iterator[tuple[np.ndarray, np.ndarray]] = zip(first, second, strict=True)
    return round(statistics.mean(rank_correlation(a, b) for a, b in pairs), 4)


def trained(sides: Sides, given: argparse.Namespace) -> Path:
    """Return the classifier of scenes, trained by the peer where there is none."""
    model: Path = given.model or sides.folder / "scenes.onnx"
    if not model.exists():
        training = {"method": "train", "digits": str(DIGITS), "steps": given.train_steps}
        sides.call("peer", {**training, "out": str(model)})
    return model


def main() -> int:
    """Measure and print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--peer-python", type=Path, required=True)
    parser.add_argument("--model", type=Path, help="trained classifier of an earlier run")
    parser.add_argument("--train-steps", type=int, default=900)
    parser.add_argument("--pictures", type=int, default=20)
    parser.add_argument("--evaluations", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--parts", default=",".join(PARTS), help="of the result, with commas")
    given = parser.parse_args()
    parts = given.parts.split(",")
    with tempfile.TemporaryDirectory() as place, ExitStack() as stack:
        sides = Sides(stack, Path(place), given.peer_python)
        measures = {
            "pictures": lambda: on_pictures(sides, trained(sides, given), given),
            "large pictures": lambda: on_large_pictures(sides, given),
            "linear rows": lambda: on_rows(sides, given, 10, 0, 200),
            "rows": lambda: on_rows(sides, given, 12, 16, 1000),
            "gradients": lambda: on_gradients(sides, given),
        }
        document = {
            "name": "explanations",
            "peer": "shap, captum, openvino_xai",
            **{name: measure() for name, measure in measures.items() if name in parts},
            "load": os.getloadavg()[0],
        }
    print(json.dumps(document, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
