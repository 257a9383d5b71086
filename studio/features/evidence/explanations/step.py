"""The step that explains the scores of samples."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from studio.api import Kind, Permission, TargetSpec
from studio.features.evidence.explanations.results import ExplainResult
from studio.jobs.options_form import option
from studio.jobs.step import Effect, Step, Use
from studio.lazy_dataclass import dataclass
from studio.registry import ModelRef

DATA_FIELDS = ("evaluation", "heldout", "calibration")
"""Fields of a project that have samples, the best first."""

Method = Literal[
    "auto",
    "rise",
    "drise",
    "occlusion",
    "shapley",
    "kernel-shap",
    "integrated-gradients",
    "attention",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainOptions:
    """Options of the step ``explain``."""

    model: ModelRef = option(kind=Kind.MODEL, positional=True, help="The model.")
    data: Path = option(
        kind=Kind.DATA,
        help="Samples, or a CSV file with one row per sample.",
        project=DATA_FIELDS,
    )
    sample: tuple[str, ...] = option(
        ("0",),
        title="Samples",
        help="Number (from 0) or name of a sample; several with commas.",
    )
    method: Method = option(
        "auto",
        choice_titles=(
            "automatic",
            "RISE",
            "D-RISE",
            "occlusion",
            "exact Shapley",
            "kernel SHAP",
            "integrated gradients",
            "attention",
        ),
        help="Method (default: D-RISE for detectors, RISE for pictures, Shapley values for rows, "
        "occlusion for signals and texts).",
    )
    wanted: str | None = option(
        None,
        key="class",
        title="Class",
        placeholder="the likeliest",
        help="Name or number of the class whose score is explained (default: the likeliest).",
    )
    evaluations: int = option(
        2000,
        minimum=4,
        maximum=1_000_000,
        help="Maximum number of scored samples for one map. Curves need up to 34 more.",
    )
    against: tuple[ModelRef, ...] = option(
        (),
        kind=Kind.MODEL,
        title="Compare with",
        help="Variant whose maps are compared: whether it looks at the same places.",
    )
    sanity: bool = option(
        False,
        title="Check with shuffled weights",
        help="Explain three copies with shuffled weights: the maps must change (ONNX models).",
    )
    seed: int = option(0, minimum=0, maximum=2**32 - 1, help="Seed of masks and sampled sets.")
    out: Path | None = option(
        None,
        kind=Kind.OUTPUT,
        title="Drawing",
        help="Copy of the explanation: .png, .html or .json.",
    )
    labels: Path | None = option(
        None, kind=Kind.FILE, help="Class names, one per line.", project=("labels",)
    )
    outputs: Path | None = option(
        None,
        kind=Kind.FILE,
        help="Meaning of the outputs of a detector, an outputs.toml.",
        project=("outputs",),
    )
    target: TargetSpec | None = option(
        "local", kind=Kind.TARGET, help="Target whose runtime runs the model."
    )
    features: Path | None = option(
        None,
        kind=Kind.FILE,
        help="Names of the features of a row, one per line; columns of a CSV file.",
        advanced=True,
    )
    vocabulary: Path | None = option(
        None, kind=Kind.FILE, help="Tokens of a text, one per line.", advanced=True
    )
    reference: Literal["auto", "mean", "zero", "blur", "samples"] = option(
        "auto",
        choice_titles=("automatic", "mean of the data", "zero", "blurred", "samples of the data"),
        help="What removed parts become (default: the mean of all samples; of pictures, of 32).",
        advanced=True,
    )
    token: int = option(
        0,
        minimum=0,
        maximum=2**31 - 1,
        help="Number of the token that replaces removed tokens.",
        advanced=True,
    )
    score: Literal["auto", "output"] = option(
        "auto",
        choice_titles=("probability", "output of the model"),
        help="Explained score: the probability of a class, or the output as it is.",
        advanced=True,
    )
    cells: int = option(
        0,
        minimum=0,
        maximum=64,
        zero="automatic",
        help="Cells of the masks of RISE along the longer side (default: 7, D-RISE 16).",
        advanced=True,
    )


EXPLAIN: Step[ExplainOptions, ExplainResult] = Step(
    name="explain",
    spreads=True,
    title="Explain",
    summary="Show which places, features or tokens the score of a sample depends on.",
    options=ExplainOptions,
    result=ExplainResult,
    prepare="studio.features.evidence.explanations.record:prepared",
    work="studio.features.evidence.explanations.work:explain",
    record="studio.features.evidence.explanations.record:explained",
    remote_needs=frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS}),
    effect=Effect.PURE,
    use=Use.RUN,
    has_command=True,
    texts="studio.features.evidence.explanations.texts:explained",
)
