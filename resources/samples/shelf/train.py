"""The script that trains the stock classifier on drawn facings and writes its ONNX model.

It needs PyTorch and onnx in an environment of their own, and this repository as PYTHONPATH. The
result is committed next to it. The seeds differ from those of the sample and of its tests.
"""

from __future__ import annotations

import argparse
import io
import random
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from studio.datasets import Preprocess as Settings
from studio.runtime.serve.images.preprocess import Preprocess
from studio.runtime.serve.images.resize import quick_resizer
from studio.samples.shelf.camera import ShelfCamera, facing_box
from studio.samples.shelf.plan import FACINGS, plan

HERE = Path(__file__).parent
HIDDEN = 5
LEARNED, HELD_OUT = 100_000, 200_000
"""First seed of each group of recordings."""

SEED = 20261130
BATCH = 128
MOST_EMPTY = 5000
_LEAST_HIDDEN = 0.02
"""Facings of which an arm hides less are left out: either answer would do."""


def crops(first: int, count: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return prepared pictures of facings of some recordings, and their classes."""
    settings = asdict(Settings.from_toml(HERE / "stock" / "preprocess.toml"))
    preprocess, resizer = Preprocess.from_json(settings), quick_resizer()
    found, classes = [], []
    for seed in range(first, first + count):
        made = plan(seed, 960.0)
        camera, chance = ShelfCamera(made, seed), random.Random(seed)
        arms = [one.begin_s for one in made.arms if one.begin_s >= 0]
        moments = [2.0 * chance.randrange(480) for _ in range(8)]
        moments += [2.0 * (chance.choice(arms) // 2) for _ in range(4)]
        for at_s in moments:
            pixels, mask = camera.picture_and_arms(at_s)
            pixels = compressed(pixels)
            for facing in range(len(FACINGS)):
                left, top, right, bottom = facing_box(facing)
                hidden = mask[top:bottom, left:right].mean()
                if 0 < hidden < _LEAST_HIDDEN:
                    continue
                classes.append(HIDDEN if hidden else len(made.stock(facing, at_s)))
                found.append(preprocess.apply(pixels[top:bottom, left:right], resizer)[0])
    return numpy.array(found, numpy.float32), numpy.array(classes)


def compressed(pixels: NDArray[numpy.uint8]) -> NDArray[numpy.uint8]:
    """Return a picture as it is after JPEG."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=90)
    return numpy.array(Image.open(file))


def network() -> nn.Sequential:
    """Return a small convolutional network (38,000 weights) for pictures of 36 x 48."""
    return nn.Sequential(
        *(nn.Conv2d(3, 16, 5, padding=2, stride=2), nn.ReLU()),
        *(nn.Conv2d(16, 24, 3, padding=1, stride=2), nn.ReLU()),
        *(nn.Conv2d(24, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(32 * 4 * 6, 36), nn.ReLU(), nn.Dropout(0.2)),
        nn.Linear(36, HIDDEN + 1),
    )


def train(pictures: torch.Tensor, classes: torch.Tensor, epochs: int) -> nn.Sequential:
    """Return a network after AdamW with one cycle of the rate, in light that varies."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    net, rounds = network(), len(classes) // BATCH
    optimizer = torch.optim.AdamW(net.parameters(), 1e-3, weight_decay=1e-3)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=epochs * rounds)
    shares = torch.bincount(classes, minlength=HIDDEN + 1) / len(classes)
    loss = nn.CrossEntropyLoss((1 / (HIDDEN + 1) / shares).sqrt(), label_smoothing=0.02)
    for _ in range(epochs):
        order = torch.randperm(len(classes))
        for at in range(rounds):
            chosen = order[at * BATCH : (at + 1) * BATCH]
            light = torch.empty(BATCH, 1, 1, 1).uniform_(0.6, 1.1)
            lit = ((pictures[chosen] + 2) * light - 2).clamp(-2, 2)  # black is -2, white is 2
            optimizer.zero_grad()
            loss(net(lit), classes[chosen]).backward()
            optimizer.step()
            rate.step()
    return net.eval()


def main() -> None:
    """Train, print the accuracy on held-out recordings, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=HERE / "stock" / "model.onnx")
    parser.add_argument("--recordings", type=int, default=260)
    parser.add_argument("--epochs", type=int, default=40)
    options = parser.parse_args()
    pictures, classes = crops(LEARNED, options.recordings)
    empty = numpy.random.default_rng(SEED).permutation(numpy.flatnonzero(classes == 0))
    kept = numpy.setdiff1d(numpy.arange(len(classes)), empty[MOST_EMPTY:])
    net = train(torch.tensor(pictures[kept]), torch.tensor(classes[kept]), options.epochs)
    held, truth = crops(HELD_OUT, max(1, options.recordings // 4))
    with torch.no_grad():
        found = net(torch.tensor(held)).argmax(1).numpy()
    right = found == truth
    print(f"top-1 {right.mean():.4f} on {len(truth)} held-out facings")
    open_ones = truth != HIDDEN
    print(f"top-1 {right[open_ones].mean():.4f} on the {open_ones.sum()} that no arm hides")
    sample = torch.zeros(1, *held.shape[1:])
    names = {"input_names": ["facing"], "output_names": ["stock"]}
    axes = {"facing": {0: "batch"}, "stock": {0: "batch"}}
    torch.onnx.export(
        net, (sample,), options.out, dynamic_axes=axes, opset_version=17, dynamo=False, **names
    )


if __name__ == "__main__":
    main()
