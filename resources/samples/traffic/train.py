"""The script that trains the detector of the sample ``traffic`` and writes its ONNX model.

A small convolutional network with one level of cells of 8 x 8 pixels, decoded as YOLOX (Ge et al.
2021). It learns from composed pictures of the street alone. It needs PyTorch, which the studio
does not install::

    python resources/samples/traffic/train.py --minutes 15
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from PIL import Image
from torch import nn
from torch.nn import functional

from studio.samples.street.pictures import background, place, troubled
from studio.samples.street.scene import CLEAN, HEIGHT, LANES, WIDTH, Shape, Trouble

SEED = 20261130
CELL, SIDE, BATCH = 8, 256, 16
LABELS = ("car", "truck", "person")
HERE = Path(__file__).parent
Floats = NDArray[numpy.float32]


def unit(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Return a convolution of 3 x 3 with what follows it."""
    convolution = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())


class Detector(nn.Module):
    """Features at strides 8, 16 and 32, joined at stride 8.

    Boxes and scores come from layers of their own.
    """

    def __init__(self) -> None:
        super().__init__()
        self.eight = nn.Sequential(unit(3, 12, 2), unit(12, 20, 2), unit(20, 32, 2))
        self.sixteen = unit(32, 40, 2)
        self.thirty = nn.Sequential(unit(40, 48, 2), unit(48, 48))
        self.down = nn.Conv2d(48, 40, 1)
        self.last = nn.Conv2d(40, 32, 1)
        self.boxes = nn.Sequential(unit(32, 32), nn.Conv2d(32, 4, 1))
        self.scores = nn.Sequential(unit(32, 32), nn.Conv2d(32, 4, 1))
        nn.init.constant_(self.scores[-1].bias, -3.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits: batch x 8 x rows x columns (middle, log sizes, object, classes)."""
        eight = self.eight(x)
        sixteen = self.sixteen(eight)
        wide = self.down(self.thirty(sixteen))
        sixteen = functional.relu(sixteen + _upscaled(wide, sixteen))
        eight = functional.relu(eight + _upscaled(self.last(sixteen), eight))
        return torch.cat([self.boxes(eight), self.scores(eight)], 1)


class Exported(nn.Module):
    """The detector with likelihoods in a table: batch x places x 8."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the table that the head ``yolox`` of outputs.toml decodes."""
        found = self.detector(x)
        found = torch.cat([found[:, :4], torch.sigmoid(found[:, 4:])], 1)
        return found.flatten(2).transpose(1, 2)


def _upscaled(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    twice = functional.interpolate(x, scale_factor=2.0, mode="nearest")
    return twice[:, :, : like.shape[2], : like.shape[3]]


def scene(draws: numpy.random.Generator, shapes: list[Shape]) -> tuple[Any, Floats]:
    """Return a picture, and a row for each object: its corners and its class."""
    pixels = background(int(draws.integers(64))).copy()
    rows: list[list[float]] = []
    wanted = []
    for _ in range(int(draws.integers(0, 14))):
        shape = shapes[int(draws.integers(len(shapes)))]
        x = float(draws.uniform(-20, WIDTH + 20))
        y = float(draws.uniform(110, HEIGHT + 10))
        if shape.label != "person" and draws.random() < 0.8:
            y = LANES[int(draws.integers(2))] + float(draws.normal(0, 2))
        wanted.append((y, x, shape))
        if shape.label == "person" and draws.random() < 0.6:  # close to another one
            other = shapes[int(draws.integers(len(shapes) // 2, len(shapes)))]
            near = x + float(draws.choice([-1, 1])) * float(draws.uniform(13, 20))
            wanted.append((y + float(draws.normal(0, 8)), near, other))
    for y, x, shape in sorted(wanted, key=lambda one: one[0]):
        box = _box(x, y, shape)
        if _is_free(box, rows):
            place(pixels, shape, (x, y), bool(draws.integers(2)), int(draws.integers(2)))
            rows.append(box)
    return pixels, numpy.array(rows, numpy.float32).reshape(-1, 5)


def _box(x: float, y: float, shape: Shape) -> list[float]:
    # Objects are drawn at quarters of a pixel.
    left = round((x - shape.length / 2) * 4) / 4
    top = round((y - shape.height) * 4) / 4
    number = LABELS.index(shape.label)
    return [left, top, left + shape.length, top + shape.height, float(number)]


def _is_free(box: list[float], rows: list[list[float]]) -> bool:
    return all(
        box[2] < one[0] or one[2] < box[0] or box[3] < one[1] or one[3] < box[1] for one in rows
    )


def looks(draws: numpy.random.Generator, count: int) -> list[Shape]:
    """Return objects of random sizes and colours, persons last."""
    found = []
    for at in range(count):
        look = int(draws.integers(1 << 30))
        if at < count / 3:
            found.append(Shape("car", draws.uniform(64, 74), draws.uniform(23, 28), look))
        elif at < count / 2:
            found.append(Shape("truck", draws.uniform(98, 106), draws.uniform(43, 49), look))
        else:
            found.append(Shape("person", 11.0, draws.uniform(25, 31), look))
    return found


def crops(draws: numpy.random.Generator) -> Iterator[tuple[Any, Floats]]:
    """Return parts of pictures with light, blur and noise, and their objects."""
    shapes = looks(draws, 1500)
    while True:
        pixels, rows = scene(draws, shapes)
        trouble = CLEAN
        if draws.random() < 0.6:
            blur = float(draws.choice([0.0, draws.uniform(0.3, 1.3)]))
            trouble = Trouble(float(draws.uniform(0, 15)), blur, float(draws.uniform(0.55, 1.15)))
        pixels = troubled(pixels, trouble, draws)
        for _ in range(3):
            left = int(draws.integers(0, WIDTH - SIDE + 1))
            top = int(draws.integers(0, HEIGHT - SIDE + 1))
            part = pixels[top : top + SIDE, left : left + SIDE]
            moved = rows - numpy.array([left, top, left, top, 0], numpy.float32)
            yield _jpeg(part, draws), moved


def _jpeg(pixels: Any, draws: numpy.random.Generator) -> Any:
    import io

    if draws.random() < 0.3:
        return pixels
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=int(draws.integers(60, 96)))
    return numpy.asarray(Image.open(file))


def targets(rows: Floats) -> Floats:
    """Return what each cell should give: 4 numbers of the box, object, class, weight."""
    cells = SIDE // CELL
    found = numpy.zeros((7, cells, cells), numpy.float32)
    found[6] = 1.0
    middles = (numpy.arange(cells) + 0.5) * CELL
    for left, top, right, bottom, label in rows.tolist():
        cut = numpy.clip([left, top, right, bottom], 0, SIDE)
        wide, high = cut[2] - cut[0], cut[3] - cut[1]
        if wide <= 0 or high <= 0:
            continue
        x, y = (cut[0] + cut[2]) / 2, (cut[1] + cut[3]) / 2
        near = (abs(middles - x) <= numpy.clip(wide / 4, 6, 12))[None, :]
        near = near & (abs(middles - y) <= numpy.clip(high / 4, 6, 10))[:, None]
        down, across = numpy.nonzero(near)
        if wide * high < 0.25 * (right - left) * (bottom - top) or wide < 5:
            found[6, down, across] = 0.0  # too little of it to be sure
            continue
        found[0, down, across] = x / CELL - across
        found[1, down, across] = y / CELL - down
        found[2, down, across] = numpy.log(wide / CELL)
        found[3, down, across] = numpy.log(high / CELL)
        found[4, down, across] = 1.0
        found[5, down, across] = label
    return found


def loss_of(found: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Return the sum of the losses of boxes, objects and classes."""
    positive = wanted[:, 4] * wanted[:, 6]
    count = positive.sum().clamp(min=1)
    likely = torch.sigmoid(found[:, 4])
    plain = functional.binary_cross_entropy_with_logits(found[:, 4], wanted[:, 4], reduction="none")
    focal = plain * (likely - wanted[:, 4]).abs() ** 1.5 * wanted[:, 6]
    offset = functional.smooth_l1_loss(
        found[:, :4], wanted[:, :4], reduction="none", beta=0.05
    ).sum(1)
    classes = functional.cross_entropy(found[:, 5:], wanted[:, 5].long(), reduction="none")
    return focal.sum() / count + ((2 * offset + classes) * positive).sum() / count


def resume(detector: Detector, path: Path) -> None:
    """Take the weights of a model that was written before.

    Normalisations were taken into the convolutions, so that they only add a bias from then on.
    """
    graph = onnx.load(path).graph
    values = {one.name: torch.from_numpy(numpy_helper.to_array(one)) for one in graph.initializer}
    nodes = [one for one in graph.node if one.op_type == "Conv"]
    layers = [one for one in detector.modules() if isinstance(one, nn.Conv2d)]
    norms = iter([one for one in detector.modules() if isinstance(one, nn.BatchNorm2d)])
    for layer, node in zip(layers, nodes, strict=True):
        layer.weight.data = values[node.input[1]].clone()
        if layer.bias is not None:
            layer.bias.data = values[node.input[2]].clone()
            continue
        norm = next(norms)
        norm.bias.data = values[node.input[2]].clone()
        norm.running_var.fill_(1 - norm.eps)


def train(minutes: float, path: Path, start: Path | None) -> None:
    """Train for some minutes and write the model, now and then and at the end.

    The rate falls to zero with the time.

    Args:
        start: Model whose weights are the first ones.
    """
    torch.set_num_threads(1)  # more threads wait for each other: the layers are small
    torch.manual_seed(SEED)
    draws = numpy.random.default_rng(SEED + (start is not None))
    highest = 4e-3 if start is None else 1.5e-3
    detector = Detector().to(memory_format=torch.channels_last)
    print(sum(one.numel() for one in detector.parameters()), "numbers")
    if start is not None:
        resume(detector, start)
    optimizer = torch.optim.AdamW(detector.parameters(), highest, weight_decay=1e-4)
    samples = crops(draws)
    began, step, shown = time.monotonic(), 0, 0.0
    detector.train(start is None)
    while (share := (time.monotonic() - began) / (60 * minutes)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = (
                4e-3 * min(1.0, (step + 1) / 50) * (0.5 + 0.5 * numpy.cos(share * 3.14159))
            )
        parts = [next(samples) for _ in range(BATCH)]
        pixels = numpy.stack([one[0] for one in parts]).transpose(0, 3, 1, 2)
        wanted = torch.from_numpy(numpy.stack([targets(one[1]) for one in parts]))
        found = detector(
            torch.from_numpy(pixels).contiguous(memory_format=torch.channels_last) / 255.0
        )
        loss = loss_of(found, wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        shown = 0.95 * shown + 0.05 * loss.item()
        step += 1
        if step % 50 == 0:
            print(f"step {step}, {share:.0%}: loss {shown:.3f}", flush=True)
        if step % 300 == 0:
            write(detector, path)
            detector.train(start is None)
    write(detector, path)


def write(detector: Detector, path: Path) -> None:
    """Write the model; convolutions take in the normalisations that follow them."""
    detector.eval()
    torch.onnx.export(
        Exported(detector),
        (torch.zeros(1, 3, HEIGHT, WIDTH),),
        str(path),
        input_names=["image"],
        output_names=["table"],
        dynamic_axes={"image": {0: "batch"}, "table": {0: "batch"}},
        opset_version=17,
        dynamo=False,
    )
    print(path, path.stat().st_size, "bytes")


def main() -> None:
    """Train, and write the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--out", type=Path, default=HERE / "detector" / "detector.onnx")
    parser.add_argument("--start", type=Path, help="model whose weights are the first ones")
    arguments = parser.parse_args()
    train(arguments.minutes, arguments.out, arguments.start)


if __name__ == "__main__":
    main()
