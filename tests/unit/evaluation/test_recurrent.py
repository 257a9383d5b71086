"""Models with a state: fed back from sample to sample, in calibration and in evaluation."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.api import InvalidData, Sample, UsageError
from studio.evaluation.loaded_model import LoadedModel
from studio.evaluation.recurrent import Span, Stateful, Unrolled, pairs, start
from studio.plugin_host import PluginHost
from studio.quantization import work
from studio.quantization.step import QUANTIZE
from studio.registry import ModelRef, Registry, VariantRecord

from ..quantization.conftest import FakeJob, options_of

RANDOM = numpy.random.default_rng(4)
WEIGHTS = {
    "wx": RANDOM.normal(size=(3, 16)).astype("float32"),
    "wh": (RANDOM.normal(size=(16, 16)) / 3).astype("float32"),
    "wy": RANDOM.normal(size=(16, 2)).astype("float32"),
}
FRAMES = RANDOM.normal(size=(40, 3)).astype("float32")


def cell(path: Path) -> Path:
    """h' = tanh(x Wx + h Wh), y = h' Wy."""
    nodes = [
        helper.make_node("MatMul", ["x", "wx"], ["a"], "read"),
        helper.make_node("MatMul", ["h", "wh"], ["b"], "recall"),
        helper.make_node("Add", ["a", "b"], ["s"], "sum"),
        helper.make_node("Tanh", ["s"], ["hn"], "tanh"),
        helper.make_node("MatMul", ["hn", "wy"], ["y"], "say"),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "cell",
        [value("x", TensorProto.FLOAT, ["n", 3]), value("h", TensorProto.FLOAT, ["n", 16])],
        [value("y", TensorProto.FLOAT, ["n", 2]), value("hn", TensorProto.FLOAT, ["n", 16])],
        [numpy_helper.from_array(array, name) for name, array in WEIGHTS.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), str(path))
    return path


def unrolled() -> tuple[list[numpy.ndarray], list[numpy.ndarray]]:
    """States before each frame, and what is said of it."""
    state, states, said = numpy.zeros(16, "float32"), [], []
    for frame in FRAMES:
        states.append(state)
        state = numpy.tanh(frame @ WEIGHTS["wx"] + state @ WEIGHTS["wh"])
        said.append(state @ WEIGHTS["wy"])
    return states, said


@pytest.fixture
def variant(registry: Registry, tmp_path: Path) -> VariantRecord:
    file = cell(tmp_path / "cell.onnx")
    kept = tmp_path / "kept.onnx"
    shutil.copyfile(file, kept)
    model = registry.add_model("cell")
    return registry.add_variant(
        model, "fp32", registry.adopt(kept, "cell.onnx"), format="onnx", precision="fp32"
    )


@pytest.fixture
def subject(variant: VariantRecord, job: FakeJob) -> LoadedModel:
    return LoadedModel.of(ModelRef.of(variant), PluginHost.discover(), job, ["h=hn"])


def data(path: Path, **more: Any) -> str:
    numpy.savez(path, x=FRAMES, **more)
    return str(path)


def test_a_session_keeps_the_state(subject: LoadedModel) -> None:
    assert [value.name for value in subject.inputs] == ["x"]
    session = subject.session()
    assert isinstance(session, Stateful)
    assert session.input_names == ("x",)
    for frame, wanted in zip(FRAMES, unrolled()[1], strict=True):
        found = session.run({"x": frame[None]}, ["y"])
        assert list(found) == ["y"]
        assert numpy.allclose(found["y"][0], wanted, atol=1e-5)
    again = subject.session().run({"x": FRAMES[:1]})
    assert numpy.allclose(again["y"][0], unrolled()[1][0], atol=1e-5)


def test_samples_come_with_the_states_of_the_float_model(
    subject: LoadedModel, tmp_path: Path
) -> None:
    samples = subject.samples(Path(data(tmp_path / "d.npz")), 10)
    assert isinstance(samples, Span)
    assert len(samples) == 10
    whole = subject.whole_feeds(samples)
    assert isinstance(whole, Unrolled)
    for _ in range(2):  # each pass begins anew
        for sample, state in zip(whole, unrolled()[0], strict=False):
            assert numpy.allclose(sample.feeds["h"][0], state, atol=1e-5)
    assert len(whole) == 10


def test_a_recurrent_model_is_quantized_with_its_states(
    variant: VariantRecord, job: FakeJob, tmp_path: Path
) -> None:
    path = data(tmp_path / "d.npz")
    result = work.quantize(options_of(QUANTIZE, variant, data=path, recurrent=["h=hn"]), job)
    assert result.facts["quantized"] == 3
    assert result.files is not None
    made = onnx.load(str(job.folder / result.files.file))
    scales = {t.name: numpy_helper.to_array(t) for t in made.graph.initializer}
    # Half the states lie beyond 0.5: their range was seen, and not that of the first zeros alone.
    assert 1.5 < float(scales["h_scale"]) * 255 <= 2.01
    assert result.sqnr_db is not None
    assert result.sqnr_db > 25


def test_states_that_do_not_fit(subject: LoadedModel, variant: VariantRecord, job: FakeJob) -> None:
    both = subject.inputs, subject.inputs
    with pytest.raises(UsageError, match="INPUT=OUTPUT, not 'h'"):
        pairs(["h"], *both)
    with pytest.raises(UsageError, match="no input 'g'; it has x"):
        pairs(["g=x"], *both)
    with pytest.raises(UsageError, match="no output 'z'"):
        pairs(["x=z"], *both)
    assert start(subject.inputs, {}) == {}


def test_without_states_the_data_is_said_to_lack_an_input(
    variant: VariantRecord, job: FakeJob, tmp_path: Path
) -> None:
    path = data(tmp_path / "d.npz", other=FRAMES)
    options = options_of(QUANTIZE, variant, data=path)
    with pytest.raises(InvalidData, match="no array for input 'h'"):
        work.quantize(options, job)


def test_spans_follow_each_other() -> None:
    samples = [Sample({}, name=str(k)) for k in range(5)]
    assert [one.name for one in Span(samples, 1, 3)] == ["1", "2"]
    assert len(Span(samples, 2, 9)) == 3
