"""The script that trains the digits classifier and writes its ONNX model and data.

A small convolutional net on scikit-learn's 8x8 digits, trained with plain numpy so that the sample
needs no training framework. Run it with ``make samples``; it takes about a minute, and its
results (the model, the two data files) are committed beside it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy
import onnx
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

Floats = NDArray[numpy.float32]
Ints = NDArray[numpy.int64]

SEED = 20261124
EPOCHS = 30
BATCH = 64
CALIBRATION = 200
HERE = Path(__file__).parent


@dataclass
class Parameter:
    """A weight, its gradient, and Adam's two running moments (Kingma and Ba, 2015)."""

    value: Floats
    gradient: Floats = field(init=False)
    mean: Floats = field(init=False)
    square: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.gradient = numpy.zeros_like(self.value)
        self.mean = numpy.zeros_like(self.value)
        self.square = numpy.zeros_like(self.value)

    def step(self, rate: float, count: int, decay: float) -> None:
        """One update of Adam with decoupled weight decay."""
        self.mean += (1 - 0.9) * (self.gradient - self.mean)
        self.square += (1 - 0.999) * (self.gradient**2 - self.square)
        mean = self.mean / (1 - 0.9**count)
        square = self.square / (1 - 0.999**count)
        self.value -= rate * (mean / (numpy.sqrt(square) + 1e-8) + decay * self.value)


def he(generator: numpy.random.Generator, inputs: int, outputs: int) -> Parameter:
    """Weights (inputs, outputs) with the variance that a ReLU keeps (He et al., 2015)."""
    scale = numpy.sqrt(2 / inputs)
    return Parameter((generator.standard_normal((inputs, outputs)) * scale).astype(numpy.float32))


class Convolution:
    """A 3x3 convolution with padding 1 and a ReLU; images are (batch, height, width, channels)."""

    def __init__(self, generator: numpy.random.Generator, inputs: int, outputs: int) -> None:
        self.weight = he(generator, 9 * inputs, outputs)
        self.bias = Parameter(numpy.zeros(outputs, numpy.float32))
        self._columns: Floats
        self._active: NDArray[numpy.bool_]

    def forward(self, images: Floats) -> Floats:
        """Multiply each 3x3 neighbourhood (im2col) with the weights."""
        padded = numpy.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
        windows = sliding_window_view(padded, (3, 3), (1, 2)).transpose(0, 1, 2, 4, 5, 3)
        self._columns = windows.reshape(-1, self.weight.value.shape[0])
        sums = self._columns @ self.weight.value + self.bias.value
        self._active = sums > 0
        return (sums * self._active).reshape(*images.shape[:3], -1)

    def backward(self, gradient: Floats) -> Floats:
        """Gradients of the weights, and of the images by adding up the neighbourhoods."""
        batch, height, width, outputs = gradient.shape
        flat = gradient.reshape(-1, outputs) * self._active
        self.weight.gradient = self._columns.T @ flat
        self.bias.gradient = flat.sum(0)
        columns = (flat @ self.weight.value.T).reshape(batch, height, width, 3, 3, -1)
        padded = numpy.zeros((batch, height + 2, width + 2, columns.shape[-1]), numpy.float32)
        for row in range(3):
            for column in range(3):
                padded[:, row : row + height, column : column + width] += columns[
                    :, :, :, row, column
                ]
        return padded[:, 1:-1, 1:-1]

    def onnx_weight(self) -> Floats:
        """The weights in ONNX's order: outputs, inputs, height, width."""
        outputs = self.weight.value.shape[1]
        return self.weight.value.reshape(3, 3, -1, outputs).transpose(3, 2, 0, 1)


class Network:
    """Two convolutions, a 2x2 maximum, a dense layer to the ten logits."""

    def __init__(self, seed: int) -> None:
        generator = numpy.random.default_rng(seed)
        self.first = Convolution(generator, 1, 32)
        self.second = Convolution(generator, 32, 64)
        self.weight = he(generator, 4 * 4 * 64, 10)
        self.bias = Parameter(numpy.zeros(10, numpy.float32))
        self.parameters = [
            self.first.weight, self.first.bias, self.second.weight, self.second.bias,
            self.weight, self.bias,
        ]  # fmt: skip

    def forward(self, images: Floats) -> tuple[Floats, Floats, Floats]:
        """Logits, the features before the dense layer, and the images before the maximum."""
        maps = self.second.forward(self.first.forward(images))
        features = maps.reshape(-1, 4, 2, 4, 2, 64).max((2, 4)).reshape(len(images), -1)
        return features @ self.weight.value + self.bias.value, features, maps

    def learn(self, images: Floats, labels: Ints, generator: numpy.random.Generator) -> None:
        """Compute the gradients of the cross-entropy, with a fifth of the features dropped."""
        logits, features, maps = self.forward(images)
        kept = (generator.random(features.shape) >= 0.2).astype(numpy.float32) / numpy.float32(0.8)
        dropped = features * kept
        logits = dropped @ self.weight.value + self.bias.value
        gradient = softmax(logits)
        gradient[numpy.arange(len(labels)), labels] -= 1
        gradient /= len(labels)
        self.weight.gradient = dropped.T @ gradient
        self.bias.gradient = gradient.sum(0)
        pooled = ((gradient @ self.weight.value.T) * kept).reshape(-1, 4, 1, 4, 1, 64)
        blocks = maps.reshape(-1, 4, 2, 4, 2, 64)
        largest = blocks == features.reshape(-1, 4, 1, 4, 1, 64)
        self.first.backward(self.second.backward((largest * pooled).reshape(maps.shape)))

    def accuracy(self, images: Floats, labels: Ints) -> float:
        """Share of the images whose largest logit is the right one."""
        return float((self.forward(images)[0].argmax(1) == labels).mean())


def softmax(logits: Floats) -> Floats:
    """Probabilities of each row."""
    powers = numpy.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def moved(images: Floats, generator: numpy.random.Generator) -> Floats:
    """Each image moved by at most one pixel: what a digit is does not depend on its place."""
    padded = numpy.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    rows, columns = generator.integers(0, 3, (2, len(images)))
    return numpy.stack(
        [
            padded[i, r : r + 8, c : c + 8]
            for i, (r, c) in enumerate(zip(rows, columns, strict=True))
        ]
    )


def batches(count: int, generator: numpy.random.Generator) -> Iterator[Ints]:
    """All indices once, in random order, a batch at a time."""
    order = generator.permutation(count)
    for start in range(0, count, BATCH):
        yield order[start : start + BATCH]


def train(images: Floats, labels: Ints) -> Network:
    """Adam with a rate that falls along a cosine."""
    network, generator = Network(SEED), numpy.random.default_rng(SEED + 1)
    count = 0
    total = EPOCHS * -(-len(images) // BATCH)
    for _ in range(EPOCHS):
        for batch in batches(len(images), generator):
            count += 1
            network.learn(moved(images[batch], generator), labels[batch], generator)
            rate = 2e-3 * 0.5 * (1 + float(numpy.cos(numpy.pi * count / total)))
            for parameter in network.parameters:
                parameter.step(rate, count, decay=1e-2)
    return network


def exported(network: Network) -> onnx.ModelProto:
    """The network as ONNX: ``image`` float32 (batch, 1, 8, 8) to ``logits`` float32 (batch, 10)."""
    # The features lie as (row, column, channel); ONNX flattens (channel, row, column).
    dense = network.weight.value.reshape(4, 4, 64, 10).transpose(2, 0, 1, 3).reshape(-1, 10)
    weights = {
        "conv1.weight": network.first.onnx_weight(),
        "conv1.bias": network.first.bias.value,
        "conv2.weight": network.second.onnx_weight(),
        "conv2.bias": network.second.bias.value,
        "dense.weight": dense,
        "dense.bias": network.bias.value,
    }
    same = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    node = helper.make_node
    nodes = [
        node("Conv", ["image", "conv1.weight", "conv1.bias"], ["conv1"], "conv1", **same),
        node("Relu", ["conv1"], ["relu1"], "relu1"),
        node("Conv", ["relu1", "conv2.weight", "conv2.bias"], ["conv2"], "conv2", **same),
        node("Relu", ["conv2"], ["relu2"], "relu2"),
        node("MaxPool", ["relu2"], ["pool"], "pool", kernel_shape=[2, 2], strides=[2, 2]),
        node("Flatten", ["pool"], ["features"], "flatten", axis=1),
        node("Gemm", ["features", "dense.weight", "dense.bias"], ["logits"], "dense"),
    ]
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 10])],
        [numpy_helper.from_array(numpy.ascontiguousarray(v), k) for k, v in weights.items()],
    )
    # Operator set 17 and IR 8 load on every runtime since onnxruntime 1.12 (the oldest boards).
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="edgewright"
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def main() -> None:
    """Train, say how good it is on the held-out quarter, and write the files."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=HERE, help="folder for the results")
    folder: Path = parser.parse_args().out
    data = load_digits()
    images = (data.images / 16).astype(numpy.float32)[..., None]
    digits = data.target.astype(numpy.int64)
    learned, heldout, labels, truth = train_test_split(
        images, digits, test_size=0.25, random_state=0, stratify=digits
    )
    started = time.monotonic()
    network = train(learned, labels)
    print(
        f"{time.monotonic() - started:.0f} s; "
        f"top-1 {network.accuracy(learned, labels):.4f} on {len(learned)} trained, "
        f"{network.accuracy(heldout, truth):.4f} on {len(heldout)} held out"
    )
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(exported(network), folder / "digits.onnx")
    # As the model takes them: channels first.
    calibration = learned[:CALIBRATION].transpose(0, 3, 1, 2)
    numpy.savez_compressed(folder / "calibration.npz", image=calibration)
    numpy.savez_compressed(
        folder / "heldout.npz", image=heldout.transpose(0, 3, 1, 2), labels=truth
    )


if __name__ == "__main__":
    main()
