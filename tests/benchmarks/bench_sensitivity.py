"""The sensitivity of all layers beside the naive way: time, and how alike the rankings are.

Naive: for each layer a model in which it alone is quantized is written, loaded, and run on all
samples; the SQNR at the worst output, in decibels, is averaged over the samples. Ours sees some of
these samples. Both have the same calibration, which is not counted. Time is CPU time on one
thread; ``naive_cpu_s`` says where it goes.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy

from studio.api import Sample, Silent
from studio_onnxruntime.backend import OnnxRuntime
from studio_onnxruntime.static_int8 import StaticInt8
from studio_onnxruntime.tuning import COMPARED, Int8Tuner
from tests.benchmarks.zoo import arrays, entry

MODELS = ("ppocr-rec", "minilm")
SAMPLES = 32
_CALIBRATING = 16

Array = numpy.ndarray[Any, Any]


def measure(name: str, samples: int) -> dict[str, Any]:
    """Both ways on one model."""
    folder = entry(name).folder()
    feeds = arrays.read(folder / "calibration")[:samples]
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        (place / "tuner").mkdir()
        model = folder / "model.onnx"
        data = [Sample(one) for one in feeds[:: max(1, len(feeds) // _CALIBRATING)]]
        tuner = StaticInt8().tuner(model, place / "tuner", {}, data, Silent())
        began, wall = time.process_time(), time.perf_counter()
        costs = tuner.costs(Silent(), timed=False)
        ours, ours_wall = time.process_time() - began, time.perf_counter() - wall
        wall = time.perf_counter()
        naive, spent = naively(tuner, model, feeds, place)
        naive_wall = time.perf_counter() - wall
    layers = list(tuner.layers)
    found = [costs[layer].sqnr_db for layer in layers]
    total = sum(spent.values())
    return {
        "layers": len(layers),
        "samples": {"ours": COMPARED, "naive": len(feeds)},
        "ours_cpu_s": round(ours, 2),
        "naive_cpu_s": {key: round(value, 2) for key, value in spent.items()},
        "cpu_ratio": round(ours / total, 4),
        "wall_ratio": round(ours_wall / naive_wall, 4),
        # What the naive way takes when it, too, looks at few samples only.
        "cpu_ratio_at_equal_samples": round(
            ours / (total - spent["run"] * (1 - COMPARED / len(feeds))), 4
        ),
        "spearman": round(spearman(found, [naive[layer] for layer in layers]), 4),
    }


def naively(
    tuner: Int8Tuner, model: Path, feeds: Sequence[dict[str, Array]], folder: Path
) -> tuple[dict[str, float], dict[str, float]]:
    """Decibels of each layer, and CPU seconds by what took them."""
    session = OnnxRuntime().load(model, {"threads": 1})
    exact = [session.run(one) for one in feeds]
    found, spent = {}, dict.fromkeys(("make", "load", "run"), 0.0)
    for layer in tuner.layers:
        clock = [time.process_time()]
        made = tuner.write(folder / "one.onnx", [one for one in tuner.layers if one != layer])
        clock.append(time.process_time())
        session = OnnxRuntime().load(made.path, {"threads": 1})
        clock.append(time.process_time())
        each = [worst(wanted, session.run(one)) for wanted, one in zip(exact, feeds, strict=True)]
        clock.append(time.process_time())
        for key, begin, end in zip(spent, clock, clock[1:], strict=False):
            spent[key] += end - begin
        found[layer] = float(numpy.mean(each))
    return found, spent


def worst(exact: dict[str, Array], found: dict[str, Array]) -> float:
    """SQNR of the worst output of one sample."""
    least = 200.0
    for name, wanted in exact.items():
        noise = float(((found[name] - wanted).astype(numpy.float64) ** 2).sum())
        signal = float((wanted.astype(numpy.float64) ** 2).sum())
        least = min(least, 10 * numpy.log10(signal / noise) if noise and signal else 200.0)
    return least


def spearman(one: Sequence[float], other: Sequence[float]) -> float:
    """Correlation of the ranks."""
    first, second = (numpy.argsort(numpy.argsort(values)) for values in (one, other))
    return float(numpy.corrcoef(first, second)[0, 1])


def main() -> None:
    """Measure the models that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--samples", type=int, default=SAMPLES, help="that the naive way runs")
    asked = parser.parse_args()
    found = {}
    for name in asked.models:
        print(f"{name} ...", file=sys.stderr)
        found[name] = measure(name, asked.samples)
    good = all(one["cpu_ratio"] <= 0.1 and one["spearman"] >= 0.95 for one in found.values())
    print(json.dumps({"models": found, "goals_met": good, "load": os.getloadavg()[0]}, indent=1))


if __name__ == "__main__":
    main()
