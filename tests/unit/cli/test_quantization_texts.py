"""What the commands about quantization print for people."""

from __future__ import annotations

from studio.datasets.results import DataProblem
from studio.evaluation.results import RuntimeVersion
from studio.quantization import texts
from studio.quantization.results import (
    FloatMetric,
    LayerCost,
    PreflightResult,
    SensitivityResult,
    SpeedupOutlook,
)


def layer(name: str, sqnr: float, drop: float | None, gain: float) -> LayerCost:
    return LayerCost(name, 8, sqnr, 30.0, 30.0 - gain, gain, drop)


def test_the_worst_layers_are_a_table_and_the_rest_a_number() -> None:
    layers = [layer("worst", 12.34, 0.05, -4.0), *(layer(f"l{n}", 40, None, 9) for n in range(24))]
    metric = FloatMetric("top1", "Top-1 accuracy", 0.9, 64)
    result = SensitivityResult(
        "m:fp32", tuple(layers), metric, {}, None, RuntimeVersion("onnxruntime", "1"), 1.0
    )
    lines = texts.sensitivity(result)
    assert lines[1].split() == ["worst", "12.3", "0.0500", "30", "34"]
    assert lines[2].split()[2] == "-"
    assert lines[21:] == [
        "and 5 less sensitive layers; --json lists all",
        "loss of top-1 accuracy, 0.9000 in float, over 64 samples",
        "1 of 25 layers are no faster in int8 on this machine",
    ]


def test_a_prediction_is_a_sentence_with_what_is_wrong_with_the_data() -> None:
    outlook = SpeedupOutlook((), None, 0.4, 0.5, False, "Yes: about 0.40 to 0.50.")
    problem = DataProblem("The data do not fit.", "Give others.")
    assert texts.preflight(PreflightResult(data=problem, outlook=outlook)) == [
        "Yes: about 0.40 to 0.50.",
        "The data do not fit. Give others.",
    ]
    nothing = ["No estimate for this method."]
    assert texts.preflight(PreflightResult()) == nothing
