"""The predicted size of a variant, compared with the file that the quantizer writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.api import Graph, Initializer, Node, TensorType
from studio.jobs.phases import Phase
from studio.models.opening import read_model
from studio.plugin_host import PluginHost
from studio.quantization import work
from studio.quantization.preset import Preset
from studio.quantization.presets import all_presets, prepare
from studio.quantization.size_estimate import estimate_size
from studio.quantization.step import QUANTIZE
from studio.registry import Registry, VariantRecord

from .conftest import DIGITS, FakeJob, options_of

CLOSE = 0.1
"""The largest error of a prediction, as a share of the real size: digits has 117 kB, of which names
and nodes are a larger part than in most models."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["int8", "int8-dynamic", "int8-weights", "int4-weights", "fp16", "int8-per-tensor"]
)
def test_the_prediction_is_close_to_the_file(
    registry: Registry, digits: VariantRecord, job: FakeJob, tmp_path: Path, name: str
) -> None:
    entry = next(one for one in all_presets(tmp_path) if one.name == name)
    graph = read_model(digits.path, Phase(job, 0, 1), host=PluginHost.discover()).sized.graph
    found = estimate_size(graph, digits.size, Preset.of(entry.text, name))
    asked = options_of(QUANTIZE, digits, data=str(DIGITS / "calibration.npz"), preset=name)
    made = work.quantize(prepare(registry, asked), job)
    assert found is not None
    assert found.before == made.bytes.before
    assert found.after == pytest.approx(made.bytes.after, rel=CLOSE)


def graph(**attributes: object) -> Graph:
    """A depthwise convolution and a product, each with 16,000 weights in float."""
    weights = {
        "dw": Initializer("dw", TensorType("float32", (1000, 1, 4, 4)), 64_000),
        "fc": Initializer("fc", TensorType("float32", (1000, 16)), 64_000),
    }
    nodes = (
        Node("conv", "Conv", ("x", "dw"), ("y",), attributes={"group": 1000, **attributes}),
        Node("head", "MatMul", ("y", "fc"), ("z",)),
    )
    return Graph("g", (), (), nodes, weights)


def predicted(text: str) -> float:
    found = estimate_size(graph(), 130_000, Preset.of(text, "mine"))
    assert found is not None
    return found.ratio


def test_what_stays_in_float_keeps_its_bytes() -> None:
    both = predicted('method = "static-int8"\nfloat_depthwise = false\n')
    one = predicted('method = "static-int8"\n')
    kept = predicted('method = "static-int8"\nfloat_depthwise = false\nkeep = ["head"]\n')
    assert both < one < 1
    assert both < kept < 1
    assert predicted('method = "static-int8"\nkeep = ["MatMul"]\n') == 1
    assert predicted('method = "static-int8"\n[layers]\n"head" = "float"\n') == 1
    assert predicted('method = "weight-only"\nbits = 4\n') < predicted('method = "weight-only"\n')
    assert predicted('method = "fp16"\n') == pytest.approx(0.5, abs=0.02)


def test_nothing_is_invented_for_the_method_of_a_plugin() -> None:
    assert estimate_size(graph(), 130_000, Preset.of('method = "vendor"\n', "mine")) is None


def test_constants_in_other_types_stay_as_they_are() -> None:
    whole = {"fc": Initializer("fc", TensorType("int64", (1000, 16)), 128_000)}
    nodes = (Node("head", "MatMul", ("x", "fc"), ("z",)),)
    found = estimate_size(
        Graph("g", (), (), nodes, whole), 130_000, Preset.of('method = "fp16"\n', "mine")
    )
    assert found is not None
    assert (found.after, found.converted) == (130_000, 0)
