"""The first value that differs, in real models whose copy is altered at a known node."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy
import onnx
import pytest
from onnx import numpy_helper

from studio.api import Converter, Extension, Feeds, InputSpec, Silent
from studio.conversion.comparison import ForeignModel, compare_export, compare_import
from studio.conversion.location import Mismatch, located, sentence
from studio.conversion.results import ConversionCheck, FirstDifference
from studio.models.backends import backend_for
from studio.models.opening import read_model
from studio.plugin_host import PluginHost
from tests.e2e.conftest import Studio
from tests.integration.toolchains.test_toolchains import install

NET = """
import sys
import torch


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Conv2d(3, 8, 3, padding=1)
        self.batch = torch.nn.BatchNorm2d(8)
        self.second = torch.nn.Conv2d(8, 8, 3, padding=1)
        self.norm = torch.nn.LayerNorm(8)
        self.head = torch.nn.Linear(8, 10)

    def forward(self, x):
        y = torch.relu(self.batch(self.first(x)))
        y = y + self.second(y)
        y = self.norm(y.mean((2, 3)))
        return torch.nn.functional.gelu(self.head(y)).softmax(-1)


torch.manual_seed(0)
batch = torch.export.Dim("batch")
made = torch.export.export(Net().eval(), (torch.rand(2, 3, 16, 16),), dynamic_shapes=({0: batch},))
torch.export.save(made, sys.argv[1])
"""

KERAS = """
import os
import sys
os.environ["KERAS_BACKEND"] = "torch"
import keras

keras.utils.set_random_seed(0)
layers = keras.layers
keras.Sequential([
    keras.Input((16, 16, 3), name="image"),
    layers.Conv2D(8, 3, activation="relu", name="stem"),
    layers.BatchNormalization(name="norm"),
    layers.GlobalAveragePooling2D(),
    layers.Dense(10, activation="softmax", name="scores"),
]).save(sys.argv[1])
"""

Alter = Callable[[onnx.ModelProto], str]
"""Changes a model, and returns the value that differs then."""


@pytest.fixture(scope="module")
def host(kept: Studio) -> Iterator[PluginHost]:
    """The plugins with the environments of the toolchains."""
    for name in ("pytorch", "openvino", "litert-torch", "coreml"):
        install(kept, name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGEWRIGHT_HOME", kept.environment["EDGEWRIGHT_HOME"])
        yield PluginHost.discover()


@pytest.fixture(scope="module")
def made(kept: Studio, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """``made(text, name)``: the model that a program writes in PyTorch's environment."""
    home = Path(kept.environment["EDGEWRIGHT_HOME"])
    python = home / "data" / "environments" / "studio_pytorch" / "bin" / "python"
    folder = tmp_path_factory.mktemp("sources")

    def run(text: str, name: str) -> Path:
        program = folder / "net.py"
        program.write_text(text)
        if not (folder / name).exists():
            subprocess.run([python, "-W", "ignore", program, folder / name], check=True)
        return folder / name

    return run


def converter(host: PluginHost, name: str) -> Converter:
    found: Converter = host.get(Extension.CONVERTER, name)
    return found


def folder(parent: Path, name: str) -> Path:
    found = parent / name
    found.mkdir()
    return found


def onnx_of(host: PluginHost, name: str, source: Path, tmp_path: Path) -> Path:
    output, before = folder(tmp_path, "model") / "m.onnx", source.with_suffix(".onnx")
    if not before.exists():
        converter(host, name).convert(source, before, {}, folder(tmp_path, "tool"), Silent())
    shutil.copyfile(before, output)
    return output


def altered(path: Path, alter: Alter) -> str:
    model = onnx.load(path)
    value = alter(model)
    onnx.save(model, path)
    return value


def node(model: onnx.ModelProto, operator: str, number: int = 0) -> onnx.NodeProto:
    return [one for one in model.graph.node if one.op_type == operator][number]


def other_epsilon(model: onnx.ModelProto) -> str:
    norm = node(model, "LayerNormalization")
    (epsilon,) = [one for one in norm.attribute if one.name == "epsilon"]
    epsilon.f = 0.5
    return str(norm.output[0])


def other_weights(operator: str, number: int = 0) -> Alter:
    def alter(model: onnx.ModelProto) -> str:
        found = node(model, operator, number)
        constants = {one.name: one for one in model.graph.initializer}
        weights = next(constants[name] for name in found.input if name in constants)
        array = numpy_helper.to_array(weights)
        weights.CopyFrom(numpy_helper.from_array(array * numpy.float32(1.5), weights.name))
        return str(found.output[0])

    return alter


def feeds_of(name: str, shape: tuple[int, ...], count: int = 2) -> list[Feeds]:
    random = numpy.random.default_rng(0)
    return [{name: random.random(shape, numpy.float32)} for _ in range(count)]


def checked(
    host: PluginHost,
    path: Path,
    foreign: ForeignModel,
    feeds: list[Feeds],
    tmp_path: Path,
    *,
    imported: bool,
) -> ConversionCheck:
    """Compare as the steps do, and locate the difference."""
    opened = read_model(path, host=host)
    session = backend_for("onnx", host).load(path, {"threads": 1})
    work = folder(tmp_path, "work")
    if imported:
        check, worst = compare_import(foreign, session, feeds, work, Silent())
    else:
        check, worst = compare_export(foreign, session, "ONNX", feeds, work, Silent())
    session.close()
    assert not check.equal
    found = located(Mismatch(check, foreign, worst, imported), opened, host, work, Silent())
    assert list(work.iterdir()) == [], "nothing is left of the search"
    return found


def first_of(check: ConversionCheck) -> FirstDifference:
    assert check.first is not None
    assert check.limit is not None
    assert check.first.error > check.limit
    return check.first


@pytest.mark.parametrize(
    ("alter", "operator", "line"),
    [
        (other_epsilon, "LayerNormalization", 18),
        (other_weights("Conv", 1), "Conv", 17),
    ],
)
def test_the_node_of_a_program_is_named_with_its_line(
    host: PluginHost,
    made: Callable[[str, str], Path],
    tmp_path: Path,
    alter: Alter,
    operator: str,
    line: int,
) -> None:
    source = made(NET, "net.pt2")
    path = onnx_of(host, "pytorch", source, tmp_path)
    value = altered(path, alter)
    original = ForeignModel(converter(host, "pytorch"), source, "PyTorch")
    feeds = feeds_of("x", (2, 3, 16, 16))
    check = checked(host, path, original, feeds, tmp_path, imported=True)
    first = first_of(check)
    assert (first.value, first.operator, first.source) == (value, operator, f"net.py:{line}")
    assert sentence(check).endswith(f"it comes from net.py:{line}.")


def test_the_layer_of_a_keras_model_is_named(
    host: PluginHost, made: Callable[[str, str], Path], tmp_path: Path
) -> None:
    source = made(KERAS, "small.keras")
    path = onnx_of(host, "keras", source, tmp_path)
    value = altered(path, other_weights("Conv"))
    original = ForeignModel(converter(host, "keras"), source, "Keras")
    feeds = feeds_of("image", (2, 16, 16, 3))
    first = first_of(checked(host, path, original, feeds, tmp_path, imported=True))
    assert (first.value, first.source) == (value, "the layer 'stem'")


@pytest.mark.parametrize(
    ("to", "suffix", "alter"),
    [
        ("openvino", ".xml", other_epsilon),
        ("pytorch-export", ".pt2", other_epsilon),
        ("litert-torch", ".tflite", other_weights("Conv", 1)),
        ("coreml", ".mlpackage", other_weights("Gemm")),
    ],
)
def test_the_value_of_an_export_is_named(
    host: PluginHost,
    made: Callable[[str, str], Path],
    tmp_path: Path,
    to: str,
    suffix: str,
    alter: Alter,
) -> None:
    path = onnx_of(host, "pytorch", made(NET, "net.pt2"), tmp_path)
    other = folder(tmp_path, "other") / "m.onnx"
    shutil.copyfile(path, other)
    value = altered(other, alter)
    output, settings = tmp_path / f"m{suffix}", {"precision": "fp32"}
    inputs = {"x": InputSpec((1, 3, 16, 16))}
    if to in ("litert-torch", "coreml"):
        between = tmp_path / "between.pt2"
        bridge = converter(host, "pytorch-export")
        bridge.convert(other, between, inputs, folder(tmp_path, "one"), Silent(), settings)
        other, inputs = between, {}
    writer = converter(host, to)
    writer.convert(other, output, inputs, folder(tmp_path, "two"), Silent(), settings)
    copy = ForeignModel(writer, output, to)
    feeds = feeds_of("x", (1, 3, 16, 16))
    first = first_of(checked(host, path, copy, feeds, tmp_path, imported=False))
    assert (first.value, first.source) == (value, "")
