"""Calibration beside onnxruntime's: memory, processor time, and how far the scales are apart.

PP-OCRv5's recogniser. Each way runs in a process of its own, one after the other; memory is the
peak over what the process had when its session was loaded and had run once. Scales are compared at
equal settings: 99.99 % of the values without symmetry and as many bins; entropy with 512 bins and
128 levels (onnxruntime's default of 128 bins leaves nothing to choose, and with the 2,048 that we
take it searches for an hour).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnx

from studio.api import Sample, Silent
from studio_onnxruntime.calibration import calibrate
from studio_onnxruntime.histogram import BINS, Histogram
from studio_onnxruntime.preparation import confined, load, prepared
from studio_onnxruntime.tuning import OPERATORS
from tests.benchmarks.zoo import entry

MODEL = "ppocr-rec"
FEW, MANY = 64, 512
SHARE = 99.99
_ENTROPY_BINS = 512

Ranges = dict[str, tuple[float, float]]


class Repeated:
    """The calibration samples again and again, read from the disk one at a time."""

    def __init__(self, count: int) -> None:
        files = sorted((entry(MODEL).folder() / "calibration").glob("*.npz"))
        # onnxruntime's histograms refuse samples of differing sizes.
        self._files = [path for path in files if path.stat().st_size == files[0].stat().st_size]
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Sample]:
        import numpy

        for path in islice(cycle(self._files), self._count):
            with numpy.load(path) as arrays:
                yield Sample(dict(arrays), name=path.name)


class Watch:
    """The peak of resident memory over what there was at the beginning, and processor time."""

    def __enter__(self) -> Watch:
        self._stop = threading.Event()
        self.begin, self._clock = _resident_mb(), time.process_time()
        self.peak = self.begin
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def _look(self) -> None:
        while not self._stop.wait(0.02):
            self.peak = max(self.peak, _resident_mb())

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.seconds = time.process_time() - self._clock

    def figures(self) -> dict[str, float]:
        """What was seen."""
        over, peak = self.peak - self.begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return {
            "cpu_s": round(self.seconds, 2),
            "over_session_mb": round(over, 1),
            "peak_mb": round(peak / 1024, 1),
        }


def ours(method: str, count: int, folder: Path) -> dict[str, Any]:
    """Our calibration, and the ranges as they are read from its histograms."""
    path, data = _prepared(folder), Repeated(count)
    seen: dict[str, Histogram] = {}
    calibrate(path, OPERATORS, Repeated(1), Silent(), method="minmax", percentile=SHARE)
    with Watch() as watch:
        calibrate(path, OPERATORS, data, Silent(), method=method, percentile=SHARE, seen=seen)
    ranges = {
        name: one.percentile(SHARE) if method == "percentile" else one.entropy(_ENTROPY_BINS)
        for name, one in seen.items()
    }
    return {**watch.figures(), "ranges": ranges}


def theirs(method: str, count: int, folder: Path) -> dict[str, Any]:
    """onnxruntime's calibration."""
    from onnxruntime.quantization import CalibrationMethod
    from onnxruntime.quantization.calibrate import CalibrationDataReader, create_calibrator

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
        def __init__(self, count: int) -> None:
            self._samples = iter(Repeated(count))

        def get_next(self) -> Any:
            sample = next(self._samples, None)
            return None if sample is None else dict(sample.feeds)

    percentile = method == "percentile"
    how = CalibrationMethod.Percentile if percentile else CalibrationMethod.Entropy
    settings = {
        "percentile": SHARE,
        "symmetric": False,
        "num_bins": BINS if percentile else _ENTROPY_BINS,
    }
    with confined(folder):
        calibrator = create_calibrator(
            str(_prepared(folder)), list(OPERATORS), str(folder / "augmented.onnx"), how,
            extra_options=settings,
        )  # fmt: skip
        calibrator.infer_session.run(None, Reader(1).get_next())
        with Watch() as watch:
            calibrator.collect_data(Reader(count))
            data = calibrator.compute_data().data
    ranges = {name: [float(v) for v in one.range_value] for name, one in data.items()}
    return {**watch.figures(), "ranges": ranges}


def _prepared(folder: Path) -> Path:
    model = load(entry(MODEL).folder() / "model.onnx")
    path = prepared(model, folder)
    onnx.load(str(path))
    return path


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


def scales(ours: Ranges, theirs: Ranges) -> dict[str, Any]:
    """How far the scales of all values are apart, in percent."""
    apart = {
        name: 100 * abs(_width(ours[name]) / _width(ends) - 1)
        for name, ends in theirs.items()
        if name in ours and _width(ends)
    }
    return {
        "values": len(apart),
        "largest_percent": round(max(apart.values()), 3),
        "beyond_1_percent": sum(one > 1 for one in apart.values()),
        "worst": max(apart, key=lambda name: apart[name]),
    }


def _width(ends: tuple[float, float]) -> float:
    return max(ends[1], 0.0) - min(ends[0], 0.0)


def _alone(way: str, method: str, count: int) -> dict[str, Any]:
    """One way in a process of its own."""
    print(f"{way} {method} {count} ...", file=sys.stderr)
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.bench_calibration", way, method, str(count)],
        check=True, stdout=subprocess.PIPE, text=True, timeout=1500,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    """All ways, or one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", nargs="?", choices=("ours", "theirs"))
    parser.add_argument("method", nargs="?", choices=("percentile", "entropy"))
    parser.add_argument("count", nargs="?", type=int)
    asked = parser.parse_args()
    if asked.way:
        with tempfile.TemporaryDirectory() as folder:
            way = {"ours": ours, "theirs": theirs}[asked.way]
            print(json.dumps(way(asked.method, asked.count, Path(folder))))
        return
    entry(MODEL).folder()
    few, many = _alone("ours", "percentile", FEW), _alone("ours", "percentile", MANY)
    other = _alone("theirs", "percentile", FEW)
    mine, yours = _alone("ours", "entropy", FEW), _alone("theirs", "entropy", FEW)
    result = {
        "percentile": scales(few.pop("ranges"), other.pop("ranges")),
        "entropy": scales(mine.pop("ranges"), yours.pop("ranges")),
        f"ours_{FEW}": few,
        f"ours_{MANY}": {key: value for key, value in many.items() if key != "ranges"},
        f"onnxruntime_{FEW}": other,
        "times_faster": round(other["cpu_s"] / few["cpu_s"], 2),
        "entropy_times_faster": round(yours["cpu_s"] / mine["cpu_s"], 2),
        f"ours_entropy_{FEW}": mine,
        f"onnxruntime_entropy_{FEW}": yours,
        "load": os.getloadavg()[0],
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
