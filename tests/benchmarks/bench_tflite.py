"""8-bit TFLite of ours and of others: the task's measure, size and time in LiteRT.

    python -m tests.benchmarks.bench_tflite [--only MODEL] [--home DIR] [--onnx2tf PYTHON]

Each model of the zoo is converted to float TFLite by ``studio convert --to tflite``. The studio
(``int8``, ``int8-whole``) and ``ai-edge-quantizer`` with its own calibration make 8-bit models from
the same float file and the same samples. ``--onnx2tf`` is a Python with onnx2tf, which converts the
ONNX file by its own. The peer of each time is the float file, in the same run, in turns.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy

from tests.benchmarks.bench_backends import HOME
from tests.benchmarks.bench_export import MODELS, Model, studio
from tests.benchmarks.zoo import entry

LIMIT_S = 3600
TIMED = 20
OURS = ("fp32", "int8", "int8-whole")
_PICTURES = "calibration_image_sample_data_20x128x128x3_float32.npy"

PEER = """
import glob, sys, numpy
from ai_edge_quantizer import quantizer, recipe
source, output, folder = sys.argv[1:]
def samples():
    for path in sorted(glob.glob(folder + "/*.npz")):
        with numpy.load(path) as arrays:
            yield dict(arrays)
made = quantizer.Quantizer(source, recipe.static_wi8_ai8())
found = made.calibrate({"serving_default": list(samples())}, num_threads=1)
made.quantize(found).export_model(output, overwrite=True)
"""

RUN = """
import glob, json, sys, time, numpy
from ai_edge_litert.interpreter import Interpreter
folder, timed, *paths = sys.argv[1:]
models = {}
for path in paths:
    one = Interpreter(path, num_threads=1)
    one.allocate_tensors()
    models[path] = one
def give(detail, array):
    scale, zero = detail["quantization"]
    if detail["dtype"] in (numpy.int8, numpy.uint8) and scale:
        limits = numpy.iinfo(detail["dtype"])
        array = numpy.clip(numpy.round(array / scale) + zero, limits.min, limits.max)
    if list(detail["shape"]) != list(array.shape):  # of onnx2tf: channels last
        array = numpy.moveaxis(array, 1, -1)
    return array.astype(detail["dtype"])
def take(detail, array):
    scale, zero = detail["quantization"]
    if detail["dtype"] in (numpy.int8, numpy.uint8) and scale:
        array = (array.astype(numpy.float32) - zero) * scale
    return array
times = {path: [] for path in paths}
for number, sample in enumerate(sorted(glob.glob(folder + "/*.npz"))):
    with numpy.load(sample) as arrays:
        feeds = dict(arrays)
    for path, one in models.items():
        inputs = one.get_input_details()
        by_name = {detail["name"].split(":")[0].removeprefix("serving_default_"): detail
                   for detail in inputs}
        for name, array in feeds.items():
            if name in by_name:
                one.set_tensor(by_name[name]["index"], give(by_name[name], array))
        begun = time.perf_counter()
        one.invoke()
        times[path].append(time.perf_counter() - begun)
        made = {str(at): take(detail, one.get_tensor(detail["index"]))
                for at, detail in enumerate(one.get_output_details())}
        numpy.savez(f"{path}.{number:05}.npz", **made)
print(json.dumps({path: taken[: int(timed)] for path, taken in times.items()}))
"""


def measured(model: Model, home: Path, onnx2tf: Path | None) -> list[dict[str, Any]]:
    """Rows of one model: float, ours, theirs."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        samples = _fitting(model, work, "calibration"), _fitting(model, work, "heldout")
        files = {one: _ours(model, one, samples[0], work, home) for one in OURS}
        files["ai-edge-quantizer"] = _theirs(files["fp32"], samples[0], work, home)
        if onnx2tf is not None:
            files |= _onnx2tf(model, samples[0], work, onnx2tf)
        there = {name: path for name, path in files.items() if path is not None}
        times = _run(samples[1], list(there.values()), home)
        return [_row(model, name, there, samples[1], times) for name in there]


def _fitting(model: Model, work: Path, part: str) -> Path:
    """The samples of the fixed sizes."""
    source, output = entry(model.name).folder() / part, work / part
    output.mkdir()
    sizes = {
        name: tuple(int(size) for size in shape.split(","))
        for name, _, shape in (one.partition("=") for one in model.sizes)
    }
    for path in sorted(source.glob("*.npz")):
        with numpy.load(path) as arrays:
            if all(arrays[name].shape == sizes.get(name, arrays[name].shape) for name in arrays):
                shutil.copyfile(path, output / path.name)
    return output


def _ours(model: Model, precision: str, samples: Path, work: Path, home: Path) -> Path | None:
    output = work / f"{precision}.tflite"
    words = [str(entry(model.name).folder() / "model.onnx"), "--to", "tflite"]
    words += [word for one in model.sizes for word in ("--input", one)]
    words += ["--precision", precision, "--data", str(samples), "--out", str(output), "--json"]
    found = studio(home, "convert", *words)
    if "error" in found:
        print(found["error"]["message"], file=sys.stderr)
    return output if output.exists() else None


def _theirs(source: Path | None, samples: Path, work: Path, home: Path) -> Path | None:
    output = work / "ai-edge.tflite"
    _tool(home, PEER, str(source), str(output), str(samples))
    return output if output.exists() else None


def _onnx2tf(model: Model, samples: Path, work: Path, python: Path) -> dict[str, Path]:
    """Its float file, and its full-integer one with float ends, calibrated on the same samples.

    The sizes are fixed by onnxsim, which it recommends. Before it converts, it fetches pictures
    for a test of its own: without a network, others of that name and size have to be there.
    """
    output, fixed = work / "onnx2tf", work / "fixed.onnx"
    numpy.save(work / _PICTURES, numpy.random.default_rng(0).random((20, 128, 128, 3), "float32"))
    words = [str(entry(model.name).folder() / "model.onnx"), str(fixed)]
    shapes = [one.replace("=", ":") for one in model.sizes]
    words += ["--overwrite-input-shape", *shapes] if shapes else []
    _peer(python, "onnxsim", words, work)
    words = ["-i", str(fixed), "-o", str(output), "-oiqt"]
    for name in _names(samples):
        stacked = work / f"{name}.npy"
        loaded = [numpy.load(path)[name] for path in sorted(samples.glob("*.npz"))]
        numpy.save(stacked, numpy.moveaxis(numpy.concatenate(loaded), 1, -1))
        words += ["-cind", name, str(stacked), "[0.0]", "[1.0]"]
    _peer(python, "onnx2tf", words, work)
    found = {"onnx2tf, float": "fixed_float32.tflite", "onnx2tf": "fixed_integer_quant.tflite"}
    return {name: output / file for name, file in found.items() if (output / file).exists()}


def _peer(python: Path, module: str, words: Sequence[str], work: Path) -> None:
    command = [str(python), "-m", module, *words]
    done = subprocess.run(
        command, cwd=work, capture_output=True, text=True, check=False, timeout=LIMIT_S
    )
    if done.returncode:
        print(done.stdout[-1500:], done.stderr[-1500:], file=sys.stderr)


def _names(samples: Path) -> list[str]:
    return list(numpy.load(next(samples.glob("*.npz"))))


def _tool(home: Path, script: str, *words: str) -> str:
    python = home / "data" / "environments" / "studio_litert_torch" / "bin" / "python"
    command = [str(python), "-W", "ignore", "-c", script, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    if done.returncode:
        print(done.stderr[-1500:], file=sys.stderr)
    return done.stdout


def _run(samples: Path, paths: Sequence[Path], home: Path) -> Mapping[str, Sequence[float]]:
    text = _tool(home, RUN, str(samples), str(TIMED), *map(str, paths))
    times: Mapping[str, Sequence[float]] = json.loads(text.splitlines()[-1])
    return times


def _row(
    model: Model,
    name: str,
    files: Mapping[str, Path],
    samples: Path,
    times: Mapping[str, Sequence[float]],
) -> dict[str, Any]:
    one = entry(model.name)
    exact, own = (_outputs(files[key], samples) for key in ("fp32", name))
    ratios = [
        a / b for a, b in zip(times[str(files[name])], times[str(files["fp32"])], strict=True)
    ]
    low, middle, high = statistics.quantiles(ratios, n=4)
    return {
        "model": model.name,
        "made_by": name,
        "measure": one.measure,
        "score": one.score(_truth(one.folder(), samples), own, exact),
        "bytes": files[name].stat().st_size,
        "time_ratio": [round(low, 3), round(middle, 3), round(high, 3)],
    }


def _truth(folder: Path, samples: Path) -> Path:
    """The folder of the model, with the labels of the samples that were left alone."""
    labels = folder / "heldout.labels"
    every = sorted(path.name for path in (folder / "heldout").glob("*.npz"))
    if not labels.exists() or len(every) == len(list(samples.glob("*.npz"))):
        return folder
    lines = labels.read_text(encoding="utf-8").split("\n")
    kept = [line for name, line in zip(every, lines, strict=False) if (samples / name).exists()]
    output = samples.with_name("truth")
    output.mkdir(exist_ok=True)
    (output / labels.name).write_text("\n".join(kept), encoding="utf-8")
    shutil.copyfile(folder / "dictionary.txt", output / "dictionary.txt")
    return output


def _outputs(path: Path, samples: Path) -> list[dict[str, Any]]:
    """Outputs under the names of the ONNX model, in the order of the samples."""
    count = len(list(samples.glob("*.npz")))
    found = []
    for number in range(count):
        with numpy.load(f"{path}.{number:05}.npz") as arrays:
            found.append(dict(arrays))
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--home", type=Path, default=HOME)
    parser.add_argument("--onnx2tf", type=Path)
    given = parser.parse_args(argv)
    rows = []
    for model in MODELS:
        if not given.only or model.name in given.only:
            rows += measured(model, given.home, given.onnx2tf)
    print(json.dumps({"rows": rows}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
