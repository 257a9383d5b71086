"""The step that looks ahead: what the data holds, and whether int8 will be faster here."""

from __future__ import annotations

from studio.api import Kind, Option
from studio.jobs import Step
from studio.quantization.step import QUANTIZE

_KNOWN = {option.name: option for option in QUANTIZE.options}

PREVIEW = Step(
    name="quantize-preview",
    title="Look ahead",
    summary="Say what the data holds, whether it fits, and how fast int8 will be on this machine.",
    options=(
        *(_KNOWN[name] for name in ("model", "data", "eval_data")),
        Option("outlook", Kind.FLAG, default=True, help="Time small layers in float and in int8."),
        Option(
            "trial",
            Kind.FLAG,
            default=False,
            help="Make the model with one sample of the data and time it: slower, and surer.",
        ),
        _KNOWN["recipe"],
    ),
    prepare="studio.quantization.timing_cache:offered",
    work="studio.quantization.preflight:preview",
    record="studio.quantization.timing_cache:kept",
)
