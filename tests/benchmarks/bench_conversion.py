"""Architectures of each framework that is converted, by ``studio convert`` itself.

    python -m tests.benchmarks.bench_conversion [--only NAME] [--source NAME] [--home DIR]

The environments are made by ``studio backends install`` below ``~/.cache/edgewright/backends`` and
kept there. Each model is made in its own framework, with random weights and an open batch. The
peer of each number is the model in that framework. ``--markdown`` prints the table of
``docs/formats.md`` instead of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.bench_backends import HOME, STUDIO
from tests.rigs import hub

LIMIT_S = 1800

TORCHVISION = {
    "classifier": (
        *("alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "efficientnet_v2_s"),
        *("googlenet", "inception_v3", "mnasnet0_5", "mobilenet_v2", "mobilenet_v3_small"),
        *("regnet_x_400mf", "regnet_y_400mf", "resnet18", "resnet50", "resnext50_32x4d"),
        *("shufflenet_v2_x0_5", "squeezenet1_1", "swin_t", "swin_v2_t", "vgg11", "vit_b_32"),
        *("wide_resnet50_2", "maxvit_t"),
    ),
    "segmenter": ("deeplabv3_mobilenet_v3_large", "fcn_resnet50", "lraspp_mobilenet_v3_large"),
    "detector": ("ssdlite320_mobilenet_v3_large", "fasterrcnn_mobilenet_v3_large_320_fpn"),
}
KERAS = (
    *("MobileNet", "MobileNetV2", "MobileNetV3Small", "EfficientNetB0", "EfficientNetV2B0"),
    *("ResNet50", "ResNet50V2", "DenseNet121", "MobileNetV3Large", "Xception", "ConvNeXtTiny"),
)
TENSORFLOW = (
    *("MobileNetV2", "MobileNetV3Small", "EfficientNetB0", "ResNet50V2", "DenseNet121", "Xception"),
)
TFLITE = ("MobileNetV2", "MobileNetV3Small", "EfficientNetB0", "ResNet50V2")
TREES = tuple(
    f"{library}-{task}"
    for library in ("lightgbm", "xgboost")
    for task in ("binary", "classes", "regression")
)
TRANSFORMERS = (*hub.TEXTS, *hub.PICTURES, *hub.SOUNDS)
ENCODERS = ("encoder-post-norm", "encoder-pre-norm", "encoder-gelu")

MAKE_TORCH = """
import sys, torch, torchvision
kind, name, path = sys.argv[1:]
torch.manual_seed(0)
batch = torch.export.Dim("batch")
if kind == "encoder":
    layer = torch.nn.TransformerEncoderLayer(
        64, 4, 128, batch_first=True, norm_first="pre" in name,
        activation="gelu" if "gelu" in name else "relu")
    net = torch.nn.TransformerEncoder(layer, 4, enable_nested_tensor=False)
    example = torch.rand(2, 16, 64)
else:
    place = {"segmenter": torchvision.models.segmentation, "detector": torchvision.models.detection}
    make = getattr(place.get(kind, torchvision.models), name)
    more = {"weights_backbone": None} if kind in place else {}
    if name in ("googlenet", "inception_v3"):
        more = {"init_weights": False}
    size = 299 if name == "inception_v3" else 320 if kind == "detector" else 224
    net, example = make(weights=None, **more), torch.rand(2, 3, size, size)
# Without statistics of its values, a deep net of random weights answers with nearly zero.
norms = [one for one in net.modules() if isinstance(one, torch.nn.modules.batchnorm._BatchNorm)]
net.eval()
for one in net.modules():
    if isinstance(one, torch.nn.Linear) and not one.weight.any():
        torch.nn.init.normal_(one.weight, std=0.02)  # the head of a ViT begins with zeros
for one in norms:
    one.momentum = None
    one.reset_running_stats()
    one.train()
with torch.no_grad():
    for _ in range(2 if norms else 0):
        net(list(torch.randn_like(example)) if kind == "detector" else torch.randn_like(example))
if kind == "detector":
    program = torch.export.export(net.eval(), ([example[0]],))
else:
    program = torch.export.export(net.eval(), (example,), dynamic_shapes=({0: batch},))
torch.export.save(program, path)
"""

_APPLICATION = """
import keras
kind, name, path = sys.argv[1:]
keras.utils.set_random_seed(0)
net = getattr(keras.applications, name)(weights=None)
# Without statistics of its values, a deep net of random weights answers with nearly zero.
for layer in net._flatten_layers():
    if isinstance(layer, keras.layers.BatchNormalization):
        layer.momentum = 0.0
sizes = [size or 224 for size in net.input_shape[1:]]
for _ in range(2):
    net(keras.random.normal((2, *sizes)), training=True)
"""
MAKE_KERAS = f"""
import os, sys
os.environ["KERAS_BACKEND"] = "torch"
{_APPLICATION}
net.save(path)
"""

MAKE_TENSORFLOW = f"""
import os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf
{_APPLICATION}
if kind == "saved-model":
    net.export(path, verbose=False)
else:
    with open(path, "wb") as file:
        file.write(tf.lite.TFLiteConverter.from_keras_model(net).convert())
"""

MAKE_TREES = """
import sys
import sklearn.datasets as data
_, name, path = sys.argv[1:]
library, task = name.split("-")
sets = {"binary": "breast_cancer", "classes": "wine", "regression": "diabetes"}
x, y = getattr(data, "load_" + sets[task])(return_X_y=True)
more = {"num_class": 3} if task == "classes" else {}
if library == "lightgbm":
    import lightgbm
    goal = {"binary": "binary", "classes": "multiclass", "regression": "regression"}[task]
    settings = {"objective": goal, "verbose": -1, **more}
    lightgbm.train(settings, lightgbm.Dataset(x, y), 20).save_model(path)
else:
    import xgboost
    goal = {"binary": "binary:logistic", "classes": "multi:softprob"}
    settings = {"objective": goal.get(task, "reg:squarederror"), **more}
    xgboost.train(settings, xgboost.DMatrix(x, y), 20).save_model(path)
"""


@dataclass(frozen=True, slots=True)
class Architecture:
    """A model and how it is made.

    Attributes:
        suffix: Of its file; a folder has none.
        plugin: Whose environment makes and converts it.
    """

    source: str
    kind: str
    name: str
    suffix: str
    plugin: str
    make: str


@dataclass(frozen=True, slots=True)
class Row:
    """The result of one conversion; without a failure the model is there."""

    source: str
    name: str
    seconds: float = 0.0
    max_error: float | None = None
    samples: int = 0
    has_open_batch: bool = False
    faint: bool = False
    failure: str = ""

    @property
    def good(self) -> bool:
        """Whether it has an open batch and the numbers of its original, which are not all zero."""
        has_numbers = self.max_error is not None and self.max_error <= 1e-4
        return self.has_open_batch and has_numbers and not self.faint


def architectures() -> Iterator[Architecture]:
    """Yield all of them."""
    for kind, names in TORCHVISION.items():
        for name in names:
            yield Architecture("torchvision", kind, name, ".pt2", "pytorch", MAKE_TORCH)
    for name in ENCODERS:
        yield Architecture("PyTorch", "encoder", name, ".pt2", "pytorch", MAKE_TORCH)
    for name in KERAS:
        yield Architecture("Keras", "application", name, ".keras", "pytorch", MAKE_KERAS)
    for name in TRANSFORMERS:
        yield Architecture("transformers", "folder", name, "", "pytorch", hub.MAKE)
    for name in TENSORFLOW:
        yield Architecture("TensorFlow", "saved-model", name, "", "tensorflow", MAKE_TENSORFLOW)
    for name in TFLITE:
        yield Architecture("TFLite", "tflite", name, ".tflite", "tensorflow", MAKE_TENSORFLOW)
    for name in TREES:
        suffix = ".txt" if name.startswith("lightgbm") else ".json"
        yield Architecture("trees", "trees", name, suffix, "trees", MAKE_TREES)


def measured(one: Architecture, folder: Path, home: Path) -> Row:
    """Make a model and convert it.

    Args:
        home: Of a studio with the environments.
    """
    path = folder / f"{one.name}{one.suffix}"
    script = folder / "make.py"
    script.write_text(one.make)
    python = home / "data" / "environments" / f"studio_{one.plugin}" / "bin" / "python"
    words = [str(python), "-W", "ignore", str(script), one.kind, one.name, str(path)]
    made = subprocess.run(words, capture_output=True, text=True, check=False, timeout=LIMIT_S)
    if made.returncode:
        said = made.stderr.strip().splitlines() or ["it gives no reason"]
        return Row(one.source, one.name, failure=f"not exported by its framework: {said[-1][:200]}")
    return _converted(one, path, home)


def _converted(one: Architecture, path: Path, home: Path) -> Row:
    done = _studio(home, "convert", str(path), "--json")
    found = json.loads(done.stdout or "{}")
    if "error" in found or not found:
        return Row(one.source, one.name, failure=found.get("error", {}).get("message", "no answer"))
    check: dict[str, Any] = next(iter(found["checks"]), {})
    return Row(
        one.source,
        one.name,
        found["seconds"],
        check.get("max_error"),
        check.get("samples", 0),
        bool(found["dynamic"]),
        bool(check.get("faint")),
        "" if check else " ".join(found["warnings"]),
    )


def _studio(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "EDGEWRIGHT_HOME": str(home)}
    return subprocess.run(
        [str(STUDIO), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
        env=environment,
    )


def _install(home: Path) -> None:
    listed = json.loads(_studio(home, "backends", "list", "--json").stdout)["backends"]
    there = {row["name"] for row in listed if row["state"] == "available"}
    for name in ("pytorch", "tensorflow", "lightgbm"):
        if name not in there:
            _studio(home, "backends", "install", name)


def markdown(rows: Sequence[Row]) -> str:
    """The table, and the share of each source."""
    lines = ["| source | architecture | seconds | largest relative error | open batch | |"]
    lines.append("|---|---|---|---|---|---|")
    for row in rows:
        error = "" if row.max_error is None else f"{row.max_error:.0e}"
        error += " (of nearly nothing)" if row.faint else ""
        is_open = "yes" if row.has_open_batch else "no"
        cells = (row.source, row.name, f"{row.seconds:.0f}", error, is_open, row.failure)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def shares(rows: Sequence[Row]) -> dict[str, str]:
    """Conversions with an open batch and equal numbers, of all, by source."""
    found = {}
    for source in dict.fromkeys(row.source for row in rows):
        own = [row for row in rows if row.source == source]
        found[source] = f"{sum(row.good for row in own)} of {len(own)}"
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Print the rows."""
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--source", action="append", default=[])
    parser.add_argument("--home", type=Path, default=HOME)
    parser.add_argument("--markdown", action="store_true")
    given = parser.parse_args(argv)
    _install(given.home)
    rows = []
    for one in architectures():
        if (given.only and one.name not in given.only) or (
            given.source and one.source not in given.source
        ):
            continue
        with tempfile.TemporaryDirectory() as folder:
            rows.append(measured(one, Path(folder), given.home))
        print(json.dumps(asdict(rows[-1])), file=sys.stderr, flush=True)
    document: dict[str, Any] = {"rows": [asdict(row) for row in rows], "good": shares(rows)}
    print(markdown(rows) if given.markdown else json.dumps(document, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
