"""The script that trains the model of the sample ``vibration`` and writes it as ONNX.

A logistic regression on the logarithms of the energies of eight bands and of the kurtosis, within
the model itself, so that it takes a window of the signal. Plain numpy; seconds::

    python resources/samples/vibration/train.py
"""

from __future__ import annotations

from pathlib import Path

import numpy
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from studio.samples.recordings import CLEAN, HARD, RATE_HZ, Machine

Floats = NDArray[numpy.float32]

SEED, RECORDINGS, SECONDS = 20261130, 24, 16.0
FRAME, BANDS = 128, 8
HERE = Path(__file__).parent


def basis() -> tuple[Floats, Floats]:
    """Return the Fourier sums of a frame under a Hann window, and which band each belongs to."""
    bins = FRAME // 2
    angle = 2 * numpy.pi * numpy.outer(numpy.arange(FRAME), numpy.arange(bins)) / FRAME
    sums = numpy.hstack([numpy.cos(angle), numpy.sin(angle)]) * numpy.hanning(FRAME)[:, None]
    bands = numpy.zeros((2 * bins, BANDS))
    for at in range(2 * bins):
        bands[at, at % bins * BANDS // bins] = 1 / FRAME
    return sums.astype(numpy.float32), bands.astype(numpy.float32)


def features(window: Floats) -> Floats:
    """Return what the model makes of one window before its regression."""
    sums, bands = basis()
    rest = window - window.mean()
    energies = ((rest.reshape(-1, FRAME) @ sums) ** 2).mean(axis=0) @ bands
    kurtosis = (rest**4).mean() / (rest**2).mean() ** 2
    found: Floats = numpy.log(numpy.append(energies, kurtosis) + 1e-6).astype(numpy.float32)
    return found


def samples(seed: int) -> tuple[Floats, Floats]:
    """Return the features of windows, and whether the bearing is damaged in each."""
    rows, damaged = [], []
    for at in range(RECORDINGS):
        machine = Machine(seed + at, SECONDS, HARD if at % 2 else CLEAN)
        signal = machine.signal().astype(numpy.float32)
        for begin in range(0, len(signal) - RATE_HZ + 1, RATE_HZ // 2):
            start, end = begin / RATE_HZ, begin / RATE_HZ + 1
            if end - 0.5 > machine.damaged_at > start:  # some of it is damaged
                continue
            rows.append(features(signal[begin : begin + RATE_HZ]))
            damaged.append(float(start >= machine.damaged_at))
    return numpy.array(rows), numpy.array(damaged, numpy.float32)


def regression(rows: Floats, damaged: Floats) -> tuple[Floats, float]:
    """Return weights and bias, by gradient descent on standardised features."""
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    inputs = (rows - mean) / deviation
    weights, bias = numpy.zeros(inputs.shape[1]), 0.0
    for _ in range(2000):
        error = 1 / (1 + numpy.exp(-(inputs @ weights + bias))) - damaged
        weights -= 0.5 * (inputs.T @ error / len(error) + 0.003 * weights)
        bias -= 0.5 * float(error.mean())
    plain = weights / deviation
    return plain.astype(numpy.float32), float(bias - plain @ mean)


def model(weights: Floats, bias: float) -> onnx.ModelProto:
    """Return the whole model: batch x samples to batch x 1, the probability of damage."""
    sums, bands = basis()
    values = {
        "sums": sums,
        "bands": bands,
        "weights": weights[:, None],
        "bias": numpy.array([bias], numpy.float32),
        "frames": numpy.array([0, -1, FRAME], numpy.int64),
        "small": numpy.array(1e-6, numpy.float32),
    }
    nodes = [
        helper.make_node("ReduceMean", ["signal"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Sub", ["signal", "mean"], ["rest"]),
        helper.make_node("Reshape", ["rest", "frames"], ["framed"]),
        helper.make_node("MatMul", ["framed", "sums"], ["spectra"]),
        helper.make_node("Mul", ["spectra", "spectra"], ["power"]),
        helper.make_node("ReduceMean", ["power"], ["spectrum"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["spectrum", "bands"], ["energies"]),
        helper.make_node("Mul", ["rest", "rest"], ["square"]),
        helper.make_node("Mul", ["square", "square"], ["fourth"]),
        helper.make_node("ReduceMean", ["square"], ["variance"], axes=[1], keepdims=1),
        helper.make_node("ReduceMean", ["fourth"], ["moment"], axes=[1], keepdims=1),
        helper.make_node("Mul", ["variance", "variance"], ["normal"]),
        helper.make_node("Div", ["moment", "normal"], ["kurtosis"]),
        helper.make_node("Concat", ["energies", "kurtosis"], ["joined"], axis=1),
        helper.make_node("Add", ["joined", "small"], ["positive"]),
        helper.make_node("Log", ["positive"], ["features"]),
        helper.make_node("MatMul", ["features", "weights"], ["sum"]),
        helper.make_node("Add", ["sum", "bias"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["probability"]),
    ]
    graph = helper.make_graph(
        nodes,
        "bearing",
        [helper.make_tensor_value_info("signal", TensorProto.FLOAT, ["batch", RATE_HZ])],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["batch", 1])],
        [numpy_helper.from_array(value, name) for name, value in values.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made)
    return made


def main() -> None:
    """Train, check with recordings of other seeds, and write the model."""
    weights, bias = regression(*samples(SEED))
    rows, damaged = samples(SEED + 10_000)
    right = ((rows @ weights + bias > 0) == (damaged > 0.5)).mean()
    path = HERE / "health" / "health.onnx"
    onnx.save(model(weights, bias), path)
    print(f"{right:.4f} of {len(rows)} held-out windows; {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
