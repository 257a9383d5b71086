"""The first value that a chip computes differently, on the digits sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from studio.api import Compiled, Feeds, InvalidModel, Progress, Silent
from studio.conversion.chips.difference import ChipDifference, located
from studio.models.opening import read_model
from studio.plugin_host import PluginHost
from studio.settings import resource

DIGITS = resource("samples", "digits", "digits.onnx")


@dataclass
class Compiler:
    """Runs models in ONNX Runtime, with the weights of one layer off by a tenth.

    Attributes:
        most: Outputs of a model that it takes.
    """

    wrong: str
    most: int = 99
    id: str = "test"
    title: str = "Test compiler"
    how: str = "simulated"

    def version(self) -> str:
        return "1.0"

    def compile(
        self,
        model: Path,
        output: Path,
        settings: Mapping[str, object],
        inputs: Mapping[str, Sequence[int]],
        folder: Path,
        progress: Progress,
    ) -> Compiled:
        raise AssertionError("the model is compiled already")

    def answer(
        self,
        model: Path,
        samples: Path,
        answers: Path,
        folder: Path,
        progress: Progress,
        *,
        values: Sequence[str] = (),
    ) -> Mapping[str, str]:
        changed = onnx.load(str(model))
        if len(changed.graph.output) > self.most:
            raise InvalidModel("Too many outputs.")
        weights = {node.input[1] for node in changed.graph.node if node.name == self.wrong}
        for tensor in changed.graph.initializer:
            if tensor.name in weights:
                array = numpy_helper.to_array(tensor) * numpy.float32(1.1)
                tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
        session = onnxruntime.InferenceSession(changed.SerializeToString())
        for path in samples.glob("*.npz"):
            with numpy.load(path) as arrays:
                found = session.run(None, dict(arrays))
            numpy.savez(answers / path.name, **{str(k): one for k, one in enumerate(found)})
        return {}


def search(compiler: Compiler, folder: Path) -> tuple[ChipDifference, Feeds, str]:
    host = PluginHost.discover()
    opened = read_model(DIGITS, Silent(), host=host)
    [value] = opened.model.graph.inputs
    assert value.type is not None
    assert value.type.shape is not None
    sizes = [one if isinstance(one, int) else 1 for one in value.type.shape]
    feeds = {value.name: numpy.random.default_rng(1).random(sizes, numpy.float32)}
    found = ChipDifference(opened, compiler, host, folder / "difference", Silent())
    return found, feeds, opened.model.graph.outputs[0].name


@pytest.mark.parametrize("most", [99, 1])
@pytest.mark.parametrize("node", ["conv2", "dense"])
def test_the_layer_at_fault_is_named(node: str, most: int, tmp_path: Path) -> None:
    found, feeds, output = search(Compiler(node, most), tmp_path)
    first = found.first(feeds, output, 0.1)
    if node == "dense":
        assert first is None or first.node == "dense"
    else:
        assert first is not None
        assert (first.node, first.operator) == ("conv2", "Conv")
        assert first.error == pytest.approx(0.1, abs=0.05)


def test_a_compiler_that_takes_no_part_of_the_model_is_a_warning(tmp_path: Path) -> None:
    found, feeds, output = search(Compiler("conv2", most=0), tmp_path)
    first, warning = located(found, feeds, output, 0.1, Silent())
    assert first is None
    assert warning == "No value inside of the model differs as its output does."
