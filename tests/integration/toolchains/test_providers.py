"""A real second execution provider beside the processor's: OpenVINO inside onnxruntime."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy
import onnx
import pytest
from onnx import TensorProto, helper

from studio.api import Silent
from studio.profiling.attribution import attribute
from studio.profiling.build import build
from studio.profiling.command import LOCAL_BENCH, LocalRunner, run_bench
from studio.profiling.operator_times import OperatorTimes, Placement
from studio.profiling.placement import placement, warnings
from studio.profiling.plan import Candidate
from studio.registry import ModelRef
from studio.runtime.bench.config import Candidate as BenchCandidate
from studio.runtime.bench.config import Config
from studio_onnx.format import OnnxFormat

RUNNER = Path(__file__).parents[3] / "plugins" / "studio_onnxruntime" / "runner.py"
PROVIDER = "OpenVINOExecutionProvider"


@pytest.fixture(scope="module")
def python(rigs: Path) -> Path:
    """An interpreter whose onnxruntime has OpenVINO as a provider."""
    folder = rigs / "onnxruntime-openvino"
    python = folder / "bin" / "python"
    if not (folder / ".ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
        subprocess.run([*pip, "onnxruntime-openvino==1.24.1", "numpy"], check=True, timeout=900)
        (folder / ".ready").touch()
    return python


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A Conv and a Relu around an operator that OpenVINO has not."""
    weights = numpy.random.RandomState(0).random_sample((8, 8, 3, 3)).astype("float32")
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w"], ["c"], name="conv", pads=[1, 1, 1, 1]),
            helper.make_node("Det", ["c"], ["d"], name="odd"),
            helper.make_node("Relu", ["d"], ["y"], name="relu"),
        ],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 8, 64, 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 8])],
        [onnx.numpy_helper.from_array(weights, "w")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path / "mixture.onnx"
    onnx.save(made, path)
    return path


def profiled(python: Path, model: Path, folder: Path) -> tuple[Placement, OperatorTimes]:
    """What the profile says of a candidate in the other environment."""
    reference = ModelRef(
        path=str(model), digest="", variant=1, model=1, model_name="m", name="fp32",
        format="onnx", precision="fp32",
    )  # fmt: skip
    options = {"provider": PROVIDER, "threads": 1}
    chosen = [Candidate("m:fp32", reference, "onnxruntime", RUNNER, options, "ort", str(python))]
    measured = BenchCandidate("m:fp32", str(model), str(RUNNER), options, str(python))
    config = Config((measured,), rounds=8, seconds=1.0, twin=False, operators=5)
    runner = LocalRunner(folder, Silent())
    recording = run_bench(runner, LOCAL_BENCH, config, lambda _: None)
    result = build(recording, chosen)
    graph = OnnxFormat().read(model, Silent()).graph
    times = attribute(recording.operators["m:fp32"].operators, graph).result("m:fp32")
    return placement(chosen, result.runs, [times]), times


def test_what_fell_back_is_named_node_by_node(python: Path, model: Path, tmp_path: Path) -> None:
    found, times = profiled(python, model, tmp_path)
    (row,) = found.runs
    assert set(row.providers) == {"openvino", "cpu"}
    assert 0 < found.fallback < 1
    assert row.silent
    assert "odd" in {each.name for each in row.kernels}
    assert "relu" in times.compiled[0].nodes
    assert "openvino was asked for" in warnings(found)[0]
