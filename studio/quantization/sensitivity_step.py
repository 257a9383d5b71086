"""The step that measures what each layer costs when it alone is quantized."""

from __future__ import annotations

from dataclasses import replace

from studio.api import Kind, Option
from studio.jobs import Step
from studio.quantization.step import QUANTIZE

_KNOWN = {option.name: option for option in QUANTIZE.options}

SENSITIVITY = Step(
    name="sensitivity",
    title="Sensitivity",
    summary="Measure what each layer costs when it alone is quantized: error, metric, time.",
    options=(
        _KNOWN["model"],
        replace(_KNOWN["data"], required=True),
        _KNOWN["calibration"],
        _KNOWN["samples"],
        _KNOWN["keep"],
        replace(
            _KNOWN["eval_data"],
            help="Labelled samples: the metric is then measured for the worst layers, too.",
        ),
        replace(_KNOWN["eval_samples"], default=64),
        _KNOWN["metric"],
        _KNOWN["dictionary"],
        Option(
            "judged",
            Kind.INTEGER,
            default=8,
            minimum=0,
            maximum=100_000,
            title="Layers by the metric",
            help="For so many layers, the worst first, the metric is measured as well.",
        ),
        _KNOWN["recipe"],
    ),
    work="studio.quantization.sensitivity:measure",
    record="studio.quantization.sensitivity_store:record",
    prepare="studio.quantization.sensitivity_store:signed",
)
