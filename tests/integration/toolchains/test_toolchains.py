"""OpenVINO, ncnn, MNN, PyTorch and NNCF from their makers, installed and used by commands."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy
import pytest

from studio.api import Extension
from studio.api.testing import check_backend
from studio.plugin_host import PluginHost
from tests.benchmarks import bench_backends
from tests.e2e.conftest import Studio

QUICK = ("--threads", "1", "--seconds", "1", "--rounds", "8")
INSTALLING = 1800


def listed(studio: Studio) -> dict[str, Any]:
    return {row["name"]: row for row in studio.ok("backends", "list")["backends"]}


def install(studio: Studio, name: str) -> dict[str, Any]:
    if listed(studio)[name]["state"] != "available":
        studio.ok("backends", "install", name, "--accept-licence", timeout=INSTALLING)
    row: dict[str, Any] = listed(studio)[name]
    assert row["state"] == "available", row["reason"]
    return row


def profiled(studio: Studio, model: Path, data: Path, *backends: str) -> list[dict[str, Any]]:
    wanted = [word for backend in backends for word in ("--backend", backend)]
    found = studio.ok("profile", model, *wanted, "--data", data, *QUICK, timeout=600)
    runs: list[dict[str, Any]] = found["runs"]
    return runs


@pytest.mark.parametrize("name", ["openvino", "ncnn", "mnn", "pytorch"])
def test_a_backend_computes_what_onnxruntime_does(kept: Studio, digits: Path, name: str) -> None:
    row = install(kept, name)
    runs = profiled(kept, digits / "digits.onnx", digits / "heldout.npz", "onnxruntime", name)
    reference, run = runs
    assert reference["state"] == run["state"] == "measured", run["reason"]
    assert run["version"].startswith(row["version"][:6])
    assert run["threads"] == 1
    assert run["precision"] in ("fp32", "bf16", "fp16")
    assert run["relative_error"] < (1e-4 if run["precision"] == "fp32" else 0.1)


@pytest.mark.parametrize("name", ["openvino", "mnn"])
def test_a_backend_passes_the_suite(
    kept: Studio, digits: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(kept, name)
    monkeypatch.setenv("EDGEWRIGHT_HOME", kept.environment["EDGEWRIGHT_HOME"])
    backend = PluginHost.discover().get(Extension.BACKEND, name)
    feeds: dict[str, Any] = {"image": numpy.zeros((1, 1, 8, 8), numpy.float32)}
    outputs = check_backend(backend, digits / "digits.onnx", feeds)
    assert [array.shape for array in outputs.values()] == [(1, 10)]


def test_openvinos_effective_precision_is_named(kept: Studio, digits: Path) -> None:
    install(kept, "openvino")
    full, half = "openvino:precision=f32", "openvino:precision=bf16"
    data = digits / "heldout.npz"
    runs = profiled(kept, digits / "digits.onnx", data, "onnxruntime", full, half)
    assert runs[1]["precision"] == "fp32"
    if "bf16" not in Path("/proc/cpuinfo").read_text():
        pytest.skip("this processor has no bf16")
    assert runs[2]["precision"] == "bf16"
    assert runs[2]["relative_error"] > 10 * runs[1]["relative_error"]


def test_openvinos_layers_are_given_back_to_nodes(kept: Studio, digits: Path) -> None:
    install(kept, "openvino")
    words = ("--backend", "openvino", "--data", digits / "heldout.npz", "--operators", *QUICK)
    (found,) = kept.ok("profile", digits / "digits.onnx", *words)["operators"]
    assert found["attributed"] + found["layout"] > 0.9
    assert {node["operator"] for node in found["nodes"]} >= {"Conv", "Gemm"}


def test_a_converter_that_crashes_and_a_graph_that_is_refused_are_rows(kept: Studio) -> None:
    for name in ("openvino", "ncnn"):
        install(kept, name)
    models = {model.name: model for model in bench_backends.MODELS}
    runs = profiled(kept, *models["magika"].files(), "onnxruntime", "ncnn")
    assert [run["state"] for run in runs] == ["measured", "cannot load"]
    assert runs[1]["reason"] == "The converter pnnx fails: killed by signal 11."
    runs = profiled(kept, *models["silero-vad"].files(), "onnxruntime", "openvino")
    assert [run["state"] for run in runs] == ["measured", "cannot load"]
    assert runs[1]["reason"].startswith("OpenVINO cannot convert Conv-16: ")


def test_a_tflite_model_runs_on_the_backend_of_its_format(kept: Studio) -> None:
    row = install(kept, "litert")
    model = Path(__file__).parents[2] / "plugins" / "data" / "tflite" / "int8.tflite"
    (run,) = kept.ok("profile", model, *QUICK)["runs"]
    assert (run["state"], run["backend"]) == ("measured", "litert"), run["reason"]
    assert run["version"] == row["version"]


def test_nncf_makes_a_variant_that_onnxruntime_runs(kept: Studio, digits: Path) -> None:
    install(kept, "nncf")
    made = kept.ok(
        "quantize", digits / "digits.onnx", "--preset", "int8-nncf",
        "--data", digits / "calibration.npz", "--eval-data", digits / "heldout.npz",
    )  # fmt: skip
    assert made["name"].startswith("int8-nncf")  # a number behind it in a home that is kept
    assert made["facts"]["quantized"] == 4
    assert made["size_ratio"] < 0.35
    assert made["metric"]["drop"] <= 0.01
    assert made["sqnr_db"] > 25


def test_pytorchs_operators_pass_onnxs_own_tests(kept: Studio) -> None:
    install(kept, "pytorch")
    backend = PluginHost.discover().get(Extension.BACKEND, "pytorch")
    python = Path(kept.environment["EDGEWRIGHT_HOME"]) / "data/environments/studio_pytorch/bin"
    script = Path(__file__).with_name("onnx_node_tests.py")
    done = subprocess.run(
        [python / "python", "-I", script, backend.runner],
        stdout=subprocess.PIPE,
        check=True,
        timeout=600,
    )
    found = json.loads(done.stdout)
    # A pool whose last window starts on the padding: another shape, which no bench overlooks.
    assert set(found["wrong"]) <= {"test_averagepool_2d_ceil_last_window_starts_on_pad"}
    assert found["passed"] > 650
