"""Figures in the text of commands: threads beside them, relative errors, what was assumed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from studio.documents.dataclass_json import from_json
from studio.models import texts as model_texts
from studio.models.results import GraphResult, ModelFigures
from studio.profiling import texts
from studio.profiling.results import ProfileResult
from studio.quantization import texts as quantization_texts
from studio.quantization.results import QuantizeResult

RUN: dict[str, Any] = {
    "id": "digits:int8",
    "model": "digits:int8",
    "backend": "onnxruntime",
    "runtime": "onnxruntime",
    "device": "cpu",
    "precision": "int8",
    "threads": 2,
    "latency_ms": {"p50": 1.0, "p90": 1.1, "p99": None},
    "max_error": 12.5,
    "relative_error": 0.0123,
    "state": "measured",
    "reason": "",
}


def profile(**values: Any) -> ProfileResult:
    return from_json(ProfileResult, {"mode": "latency", "runs": [RUN], **values})


def test_a_profile_has_threads_and_a_relative_error() -> None:
    head, row = texts.profile(profile())
    assert head.split()[4:] == ["in", "threads", "p50", "ms", "p90", "p99", "error"]
    assert row.split()[3:] == ["int8", "2", "1.000", "1.100", "-", "1.2%"]


def test_operators_are_a_table_of_the_longest() -> None:
    node = {"operator": "Conv", "within": [], "fused": ["relu", "add"], "us": 10.0, "share": 0.04}
    nodes = [{**node, "name": f"conv{number}"} for number in range(25)]
    nodes[1] = {**nodes[1], "within": ["loop"], "fused": []}
    found = {"run": "digits:int8", "nodes": nodes}
    lines = texts.profile(profile(operators=[found]))
    begin = lines.index("digits:int8, time of its operators")
    assert lines[begin + 1].split() == ["node", "operator", "with", "it", "us", "share"]
    assert lines[begin + 2].split() == ["conv0", "Conv", "relu,", "1", "more", "10.0", "4.0%"]
    assert lines[begin + 3].split() == ["loop/conv1", "Conv", "-", "10.0", "4.0%"]
    assert "5 more nodes take 20.0%; --json lists all of them." in lines


def test_a_profile_of_an_older_studio_is_still_shown() -> None:
    assert len(texts.profile(profile())) == 2, "it had no operators"


def test_quantize_names_the_threads_and_its_notes() -> None:
    result = QuantizeResult(
        output="a.onnx",
        size_ratio=0.3,
        latency_ratio=0.91,
        latency_interval=(0.9, 0.92),
        threads=2,
        notes=("Of the 10 evaluation samples 5 chose the layers.",),
        seconds=1.0,
        peak_memory_mb=100.0,
    )
    lines = quantization_texts.quantized(result)
    assert "latency   0.91 of the original, 0.90 to 0.92, 2 threads" in lines
    assert "note      Of the 10 evaluation samples 5 chose the layers." in lines


def test_macs_name_the_sizes_that_were_assumed() -> None:
    result = ModelFigures(
        format="onnx",
        opset={"": 17},
        nodes=7,
        parameters=29070,
        macs=1208000,
        assumed_shapes={"image": (1, 1, 8, 8)},
    )
    assert model_texts.inspected(result)[1].endswith(
        "1.208 M MACs at image=1x1x8x8 (assumed; --shape gives others)"
    )
    given = replace(result, assumed_shapes={})
    assert model_texts.inspected(given)[1].endswith("1.208 M MACs")


def test_constants_are_counted_apart_from_what_is_drawn() -> None:
    result = GraphResult(nodes=404, constants=342, edges=437, seconds=0.5, output="r.svg")
    assert model_texts.drawn(result) == [
        "404 nodes and 437 edges drawn in 0.5 s: r.svg",
        "342 constants of the model have no box of their own.",
    ]
