"""The facts of a bill of materials, with everything that one can have."""

from __future__ import annotations

from dataclasses import replace

from studio.features.evidence.bom.parts import AppPart, DataPart, ModelBom
from studio.features.evidence.results import AssessedVersion, Figure
from studio.models.results import Terminal

BOM = ModelBom(
    subject=AssessedVersion("digits", "int8", "ab" * 32, 2, "cd" * 32),
    created="2026-11-30T22:00:00+00:00",
    format="onnx",
    precision="int8",
    bytes=35_144,
    licence="Apache-2.0",
    task="classification",
    inputs=(Terminal("image", "float32", ("batch", 1, 8, 8)), Terminal("scale", "float32", ())),
    outputs=(Terminal("logits", "float32", None),),
    operators=("Conv", "Gemm"),
    data=(
        DataPart("heldout.npz", "evaluation", "12" * 32, 450, "Digits."),
        DataPart("calibration.npz", "calibration", "34" * 32),
    ),
    parents=(("digits:fp32", "56" * 32),),
    quality=(Figure("quality", "Top-1 accuracy", 0.9978, 0.987, 0.9996, count=450),),
    groups=(Figure("groups.label.7", "Top-1 accuracy, label 7", 1.0, 0.92, 1.0, count=44),),
    energy=(Figure("energy.int8", "Energy per inference", 0.3, unit="mJ"),),
    answers={
        "intended.use": 'Reads <digits> & "numbers" of meters.',
        "limitations": "Small pictures.",
        "risk.assessment": "A wrong number is billed.",
        "data.training": "UCI digits.",
        "roles": "Meter readers",
    },
    tools={"edgewright": "0.1.0", "onnxruntime": "1.32.0"},
)
APP = replace(
    BOM,
    app=AppPart(
        "gate", "Persons <at> the gate", "78" * 32, (("reader", "9a" * 32), ("x", "")), ("o.py",)
    ),
)
EMPTY = ModelBom(
    subject=AssessedVersion("m", "fp32", "ab" * 32),
    created="2026-11-30T22:00:00+00:00",
    format="tflite",
    precision="",
    bytes=1,
    licence="",
    task="",
    inputs=(),
    outputs=(),
    operators=(),
    data=(),
    parents=(),
    quality=(),
    groups=(),
    energy=(),
    answers={},
    tools={},
)
