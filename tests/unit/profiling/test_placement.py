"""Placement: which provider was asked for, and which one did the work."""

import dataclasses
from pathlib import Path

import pytest

from studio.api import Graph, Node
from studio.documents.dataclass_json import from_json, to_json
from studio.pipelines.gates import judge
from studio.pipelines.pipeline import Gate
from studio.profiling.attribution import attribute
from studio.profiling.placement import accelerated, placement, warnings
from studio.profiling.plan import Candidate
from studio.profiling.results import ProfileRun
from studio.registry import ModelRef
from studio.runtime.bench.facts import Kernel

MIXTURE = [
    # What onnxruntime-openvino 1.24.1 said of Conv -> Det -> Relu on a PC.
    {
        "name": "OpenVINOExecutionProvider_OpenVINO-EP-subgraph_3_0",
        "operator": "OpenVINO-EP-subgraph_3",
        "provider": "openvino",
        "us": 128.0,
    },
    {"name": "odd", "operator": "Det", "provider": "cpu", "us": 193.0},
    {"name": "c_nchwc", "operator": "Conv", "provider": "cpu", "us": 140.0},
    {"name": "ReorderOutput", "operator": "ReorderOutput", "provider": "cpu", "us": 16.0},
]
GRAPH = Graph(
    "g",
    (),
    (),
    (
        Node("conv", "Conv", ("x", "w"), ("c",)),
        Node("odd", "Det", ("c",), ("d",)),
        Node("relu", "Relu", ("d",), ("y",)),
    ),
)
LISTED = ("OpenVINOExecutionProvider", "CPUExecutionProvider")


def candidate(label="m:fp32", backend="onnxruntime", **options):
    fields = {field.name: "" for field in dataclasses.fields(ModelRef)}
    model = ModelRef(**(fields | {"variant": 1, "model": 1, "path": "m.onnx"}))
    return Candidate(label, model, backend, Path("runner.py"), options, backend)


def run(label="m:fp32", state="measured", **facts):
    told = {"providers": LISTED, "device": "openvino"} | facts
    return ProfileRun(label, state=state, **told)


def times_of(kernels, run):
    return attribute([from_json(Kernel, each) for each in kernels], GRAPH).result(run)


def on(provider, kernels, **facts):
    chosen = [candidate(provider=provider)]
    times = [times_of(kernels, "m:fp32")] if kernels else []
    return placement(chosen, [run(**facts)], times)


def test_a_silent_fallback_is_a_number_and_a_sentence():
    found = on("OpenVINOExecutionProvider", MIXTURE)
    (row,) = found.runs
    assert found.fallback == pytest.approx(349 / 477)
    assert (row.asked, row.silent) == ("openvino", True)
    assert [each.operator for each in row.kernels] == ["Det", "Conv"]
    (sentence,) = warnings(found)
    assert "openvino was asked for, but 27 % on openvino, 73 % on cpu of the time" in sentence
    assert "not taken by it: Det, Conv" in sentence


def test_the_compiled_part_has_the_nodes_that_no_kernel_names():
    times = times_of(MIXTURE, "run")
    assert times.compiled[0].nodes == ("relu",)
    assert not times.unknown


def test_a_provider_that_is_not_there_at_all_is_said():
    kernels = [each for each in MIXTURE if each["provider"] == "cpu"]
    found = on("CUDAExecutionProvider", kernels, providers=("CPUExecutionProvider",), device="cpu")
    assert found.fallback == 1.0
    assert "the runtime has no cuda here and went on without it" in warnings(found)[0]


def test_what_asks_for_the_processor_falls_back_nowhere():
    found = on("CPUExecutionProvider", MIXTURE[1:])
    assert found.fallback == 0.0
    assert not found.runs[0].silent
    assert warnings(found) == []
    plain = placement([candidate()], [run()], [])
    assert plain.fallback == 0.0
    assert plain.runs[0].providers == {"cpu": 1.0}


def test_nobody_knows_without_the_kernels():
    found = on("OpenVINOExecutionProvider", [], device="")
    assert found.fallback is None
    assert "is not known" in warnings(found)[0]


@pytest.mark.parametrize(
    ("asked", "device", "fallback"), [("GPU", "cpu", 1.0), ("GPU", "gpu", 0.0), ("CPU", "cpu", 0.0)]
)
def test_a_runtime_that_names_its_device_is_believed(asked, device, fallback):
    chosen = [candidate(backend="openvino", device=asked)]
    found = placement(chosen, [run(device=device)], [])
    assert found.fallback == fallback


def test_only_accelerators_need_the_truth():
    assert not accelerated([candidate(), candidate(provider="CPUExecutionProvider")])
    assert accelerated([candidate(), candidate(provider="CUDAExecutionProvider")])


@pytest.mark.parametrize(("limit", "passed"), [(0.0, False), (0.8, True)])
def test_a_gate_can_fail_a_pipeline_for_it(limit, passed):
    results = {"profile": {"placement": to_json(on("OpenVINOExecutionProvider", MIXTURE))}}
    gate = Gate("on the accelerator", "${profile.placement.fallback}", None, limit)
    assert judge(gate, results, {"profile": "profile"}).passed is passed


def test_what_is_not_known_meets_no_gate():
    unknown = to_json(on("OpenVINOExecutionProvider", [], device=""))
    results = {"profile": {"placement": unknown}}
    gate = Gate("on the accelerator", "${profile.placement.fallback}", None, 1.0)
    assert not judge(gate, results, {"profile": "profile"}).passed
