"""Constants computed before a foreign toolchain gets a model: those of a detector's head."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from studio.api import Compiled, Converted, InvalidModel
from studio.conversion import export
from studio.conversion.chips.catalogue import chips
from studio.conversion.chips.chip_check import ChipCheck
from studio.conversion.targets import TARGETS
from studio.jobs.worker import WorkerJob
from studio.models.backends import folded
from studio.models.opening import read_model
from studio.plugin_host import PluginHost
from studio.profiling.plan import Candidate
from studio.profiling.step import DEFAULT
from studio.profiling.work import with_constants
from studio.registry import ModelRef

CELLS = 16


@pytest.fixture(scope="module")
def host() -> PluginHost:
    return PluginHost.discover()


def detector(path: Path, *more: onnx.NodeProto, external: bool = False) -> Path:
    """A convolution whose boxes get a grid: ScatterND into an Expand, of constants alone."""
    random = numpy.random.default_rng(0)
    places = [[0, cell, axis] for cell in range(CELLS) for axis in range(2)]
    constants = {
        "w": random.normal(size=(4, 3, 1, 1)).astype("float32"),
        "zero": numpy.zeros((1, 1, 1), "float32"),
        "sizes": numpy.array([1, CELLS, 4]),
        "places": numpy.array(places),
        "values": random.normal(size=len(places)).astype("float32"),
        "rows": numpy.array([1, CELLS, 4]),
    }
    nodes = [
        helper.make_node("Expand", ["zero", "sizes"], ["empty"], "expand"),
        helper.make_node("ScatterND", ["empty", "places", "values"], ["grid"], "scatter"),
        helper.make_node("Conv", ["x", "w"], ["c"], "conv"),
        helper.make_node("Reshape", ["c", "rows"], ["boxes"], "reshape"),
        helper.make_node("Add", ["boxes", "grid"], ["y"], "add"),
        *more,
    ]
    graph = helper.make_graph(
        nodes,
        "detector",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 3, 4, 4])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, CELLS, 4])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.parent.mkdir(exist_ok=True)
    onnx.save(model, str(path), save_as_external_data=external, size_threshold=100)
    return path


def operators(path: Path) -> list[str]:
    return [node.op_type for node in onnx.load(str(path)).graph.node]


def answer(path: Path) -> numpy.ndarray:
    sample = numpy.random.default_rng(1).normal(size=(1, 3, 4, 4)).astype("float32")
    return onnxruntime.InferenceSession(str(path)).run(["y"], {"x": sample})[0]


@pytest.mark.parametrize("external", [False, True])
def test_what_reads_constants_alone_is_computed(
    host: PluginHost, tmp_path: Path, external: bool
) -> None:
    source = detector(tmp_path / "in" / "m.onnx", external=external)
    made = folded(source, "onnx", host, tmp_path / "new")
    assert (made.name, operators(made)) == ("m.onnx", ["Conv", "Reshape", "Add"])
    assert numpy.array_equal(answer(made), answer(source))
    assert {tensor.name for tensor in onnx.load(str(made)).graph.initializer} == {
        "w",
        "rows",
        "grid",
    }


def test_a_model_without_such_nodes_is_not_copied(host: PluginHost, tmp_path: Path) -> None:
    once = folded(detector(tmp_path / "m.onnx"), "onnx", host, tmp_path / "new")
    assert folded(once, "onnx", host, tmp_path / "again") == once


def test_rounded_weights_stay_rounded(host: PluginHost, tmp_path: Path) -> None:
    restore = helper.make_node("DequantizeLinear", ["q", "s"], ["unused"], "restore")
    source = detector(tmp_path / "m.onnx", restore)
    model = onnx.load(str(source))
    for name, array in (("q", numpy.ones(4, "int8")), ("s", numpy.float32(0.5))):
        model.graph.initializer.append(numpy_helper.from_array(numpy.asarray(array), name))
    onnx.save(model, str(source))
    made = folded(source, "onnx", host, tmp_path / "new")
    assert operators(made) == ["Conv", "Reshape", "Add", "DequantizeLinear"]


def test_a_failure_leaves_the_model_to_the_toolchain(host: PluginHost, tmp_path: Path) -> None:
    broken = helper.make_node("Reshape", ["zero", "sizes"], ["never"], "broken")
    reader = helper.make_node("Neg", ["never"], ["seen"], "reader")
    add = helper.make_node("Add", ["seen", "x"], ["unused"], "unused")
    source = detector(tmp_path / "m.onnx", broken, reader, add)
    assert folded(source, "onnx", host, tmp_path / "new") == source


def test_other_formats_pass(host: PluginHost, tmp_path: Path) -> None:
    assert folded(tmp_path / "m.tflite", "tflite", host, tmp_path) == tmp_path / "m.tflite"


def test_a_profile_gives_the_constants_to_other_backends_alone(
    host: PluginHost, tmp_path: Path
) -> None:
    source = detector(tmp_path / "m.onnx")
    model = ModelRef(str(source), "", 1, 1, "m", "fp32", "onnx", "fp32")
    own = Candidate("a", model, DEFAULT, Path(), {}, "")
    assert with_constants(own, host, tmp_path) == own
    other = with_constants(replace(own, backend="ncnn"), host, tmp_path)
    assert operators(Path(other.model.path)) == ["Conv", "Reshape", "Add"]
    assert other.model.digest == model.digest


class Refusing:
    """A compiler that takes note of what it gets."""

    id, title, how = "test", "Test compiler", "simulated"
    given: Path | None = None

    def version(self) -> str:
        return "1.0"

    def compile(self, model: Path, *rest: object) -> Compiled:
        self.given = model
        raise InvalidModel("refused")


def test_a_chip_gets_the_constants(host: PluginHost, tmp_path: Path) -> None:
    chip = next(one for one in chips(host).values() if one.format == "onnx")
    compiler = Refusing()
    check = ChipCheck(chip, compiler, host, WorkerJob(tmp_path, io.BytesIO()))
    result = check.run(detector(tmp_path / "m.onnx"), "fp32", tmp_path / "check", None)
    assert result.reason == "refused"
    assert compiler.given is not None
    assert operators(compiler.given) == ["Conv", "Reshape", "Add"]


def test_a_converter_gets_the_constants(
    host: PluginHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources: list[Path] = []

    def made_by(writer: object, source: Path, *rest: object) -> Converted:
        sources.append(source)
        return Converted("test 1.0", (), {})

    monkeypatch.setattr(export, "made_by", made_by)
    opened = read_model(detector(tmp_path / "m.onnx"), host=host)
    job = WorkerJob(tmp_path, io.BytesIO())
    work = export._Work(TARGETS["openvino"], False, "fp32", [object()], opened, host, job)
    export._write(work, tmp_path / "m.xml", {})
    assert [operators(source) for source in sources] == [["Conv", "Reshape", "Add"]]
