"""The location of a difference, with a made-up converter and real ONNX models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.api import Cancelled, Progress, Silent
from studio.conversion.comparison import ForeignModel
from studio.conversion.location import Mismatch, located, sentence
from studio.conversion.results import ConversionCheck, FirstDifference
from studio.models.opening import OpenedModel, read_model
from studio.plugin_host import PluginHost

HOSTILE = "a/../b; 'value/0'"
X = numpy.array([[1, 2, 3, 4]], numpy.float32)
W = numpy.eye(4, dtype=numpy.float32) / 2


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> OpenedModel:
    """``y = relu(x w) + x``; the product has a hostile name, and its weights are external."""
    nodes = [
        helper.make_node("MatMul", ["x", "w"], [HOSTILE]),
        helper.make_node("Relu", [HOSTILE], ["relu"]),
        helper.make_node("Add", ["relu", "x"], ["y"]),
    ]
    sides = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 4]) for name in "xy"]
    graph = helper.make_graph(nodes, "g", sides[:1], sides[1:], [numpy_helper.from_array(W, "w")])
    opset = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=8)
    path = tmp_path_factory.mktemp("model") / "m.onnx"
    more = {"location": "m.data", "size_threshold": 0}
    onnx.save_model(model, path, save_as_external_data=True, **more)
    return read_model(path, host=PluginHost.discover())


class Original:
    """A converter whose model computes what it is given, for some values."""

    def __init__(self, values: Mapping[str, Any], place: str = "", fault: Any = None) -> None:
        self._values, self._place, self._fault = values, place, fault

    def answer(
        self,
        model: Path,
        samples: Path,
        answers: Path,
        folder: Path,
        progress: Progress,
        *,
        values: Sequence[str] = (),
    ) -> dict[str, str]:
        if self._fault is not None:
            raise self._fault
        for path in samples.glob("*.npz"):
            made = {f"value/{values.index(name)}": self._values[name] for name in self._values}
            numpy.savez(answers / path.name, **{"0": self._values["y"]}, **made)
        return dict.fromkeys(self._values, self._place)


class Older:
    """A converter from before intermediate values."""

    def answer(
        self, model: Path, samples: Path, answers: Path, folder: Path, progress: Progress
    ) -> None:
        raise AssertionError("it is not run again")


def check(limit: float | None = 1e-3) -> ConversionCheck:
    return ConversionCheck("Framework 1", 1, 0.2, output="y", limit=limit)


def first(
    converter: Any, opened: OpenedModel, tmp_path: Path, *, imported: bool = True
) -> FirstDifference | None:
    foreign = ForeignModel(converter, Path("m"), "Framework 1")
    found = Mismatch(check(), foreign, {"x": X}, imported)
    done = located(found, opened, PluginHost.discover(), tmp_path, Silent())
    assert list(tmp_path.iterdir()) == []
    assert done.max_error == 0.2
    return done.first


@pytest.mark.parametrize(("imported", "error"), [(True, 0.2), (False, 0.25)])
def test_a_value_with_a_hostile_name_is_found(
    opened: OpenedModel, tmp_path: Path, imported: bool, error: float
) -> None:
    product = X @ W * numpy.float32(1.25)
    original = Original({HOSTILE: product, "relu": product, "y": product + X}, "net.py:\n 4")
    found = first(original, opened, tmp_path, imported=imported)
    assert found is not None
    assert found.error == pytest.approx(error)
    assert (found.value, found.operator, found.source) == (HOSTILE, "MatMul", "net.py: 4")
    assert found.node == opened.model.graph.nodes[0].name != ""


def test_numbers_that_are_none_are_a_difference(opened: OpenedModel, tmp_path: Path) -> None:
    product = X @ W
    bad = numpy.full_like(X, numpy.nan)
    original = Original({HOSTILE: product, "relu": bad, "y": bad})
    found = first(original, opened, tmp_path)
    assert found is not None
    assert (found.value, found.operator, found.error) == ("relu", "Relu", 1.0)


def test_a_value_of_another_shape_is_another_value(opened: OpenedModel, tmp_path: Path) -> None:
    product = X @ W * numpy.float32(1.25)
    original = Original({HOSTILE: product.T, "relu": product, "y": product + X})
    found = first(original, opened, tmp_path)
    assert found is not None
    assert found.value == "relu"


@pytest.mark.parametrize(
    "converter",
    [
        Older(),
        Original({}),
        Original({"y": X * 2}),
        Original({}, fault=ValueError("no memory left")),
        Original({"relu": numpy.array([{}], object), "y": X}),
    ],
)
def test_what_cannot_be_located_changes_nothing(
    opened: OpenedModel, tmp_path: Path, converter: Any
) -> None:
    assert first(converter, opened, tmp_path) is None


def test_it_can_be_cancelled(opened: OpenedModel, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        first(Original({}, fault=Cancelled()), opened, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_sentence() -> None:
    known = FirstDifference("conv2d_3", "Conv", 0.1234, "net.py:41")
    one = ConversionCheck("PyTorch", 1, 0.2, first=known)
    assert sentence(one) == (
        " The first value that differs is 'conv2d_3' (Conv), by 0.12 of its largest value; it "
        "comes from net.py:41."
    )
    assert sentence(check()) == ""
