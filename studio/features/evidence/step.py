"""The steps of evidence: a folder is written about a version, and verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from studio.api import Kind
from studio.features.evidence.apps.app_record import AppMaterial
from studio.features.evidence.dossier.outline import Requested, WrittenAnswer
from studio.features.evidence.explanations.step import EXPLAIN
from studio.features.evidence.groups.step import GROUPS
from studio.features.evidence.market.grid import GRID_IDS, MOST_GRAMS
from studio.features.evidence.records.records import Records
from studio.features.evidence.results import EvidenceResult, VerifyResult
from studio.jobs.options_form import like, option
from studio.jobs.step import Effect, Limits, Step, Use
from studio.lazy_dataclass import dataclass
from studio.registry import ModelRef

_OF_GROUPS = {one.name: one for one in GROUPS.form}
_CODE_HELP = (
    "Agree to run the Python code of the app on this computer. It has no network, and can read the "
    "models of the registry, too."
)
_OF_EXPLAIN = {one.name: one for one in EXPLAIN.form}


@dataclass(frozen=True, slots=True)
class MeasuringOptions:
    """Options of what is measured on labelled data; most come from the model's project."""

    data: Path | None = option(
        None,
        kind=Kind.DATA,
        help="Labelled data (default: the project's held-out data).",
        project=("heldout", "evaluation"),
    )
    groups: Path | None = like(_OF_GROUPS["groups"])
    labels: Path | None = like(_OF_EXPLAIN["labels"])
    label_map: Path | None = like(_OF_GROUPS["label_map"])
    dictionary: Path | None = like(_OF_GROUPS["dictionary"])
    outputs: Path | None = like(_OF_EXPLAIN["outputs"])


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceOptions(MeasuringOptions):
    """Options of the step ``evidence``; its preparation adds the records and the answers."""

    model: ModelRef = option(
        kind=Kind.MODEL,
        positional=True,
        help="Model file, app folder, NAME, NAME:VARIANT, NAME:NUMBER, NAME@ALIAS or a target.",
    )
    out: Path = option(kind=Kind.OUTPUT, title="Folder", help="Folder to write.")
    app: Path | None = option(
        None,
        kind=Kind.FILE,
        folders=True,
        help="App that runs the model: its folder, or its app.toml.",
    )
    events: Path | None = option(
        None,
        kind=Kind.FILE,
        title="Events of a board",
        help="Events of the app on a board, in which overrides are counted.",
        advanced=True,
    )
    further: tuple[ModelRef, ...] = option(
        (),
        kind=Kind.MODEL,
        title="Further models",
        help="Further models of the app (default: all that app.toml names).",
        advanced=True,
    )
    allow_code: bool = option(False, title="Run its Python code", help=_CODE_HELP, advanced=True)
    by: tuple[str, ...] = like(_OF_GROUPS["by"], ())
    samples: int = option(
        2000,
        minimum=20,
        maximum=1_000_000,
        title="Samples",
        help="Maximum number of samples to measure on.",
    )
    explanations: int = option(
        4,
        minimum=0,
        maximum=20,
        zero="none",
        title="Explanations",
        help="Explained samples: two typical ones, then the worst.",
        advanced=True,
    )
    evaluations: int = option(
        0,
        minimum=0,
        maximum=100_000,
        zero="as many as a minute allows, 100 to 500",
        title="Evaluations",
        help="Maximum number of scored samples for one explanation.",
        advanced=True,
    )
    corrupted: int = option(
        0,
        minimum=0,
        maximum=1_000_000,
        zero="as many as a minute allows, up to 200",
        title="Corrupted samples",
        help="Samples of the measurement of robustness.",
        advanced=True,
    )
    framework: tuple[Path, ...] = option(
        (), kind=Kind.FILE, title="Framework", help="Further framework, as TOML.", advanced=True
    )
    with_model: bool = option(
        False,
        title="With the model",
        help="Include the model's file, for a verification elsewhere.",
        advanced=True,
    )
    sign: Path | None = option(
        None,
        kind=Kind.FILE,
        title="Sign with",
        help="SSH key that signs the list of files, or the .pub file of a key in the SSH agent.",
    )
    grid: str | None = option(
        None,
        kind=Kind.CHOICE,
        choices=GRID_IDS,
        title="Grid",
        help="Grid of the electricity, for grams of CO2 from the measured energy.",
        advanced=True,
    )
    grid_factor: float | None = option(
        None,
        minimum=0,
        maximum=MOST_GRAMS,
        unit="g/kWh",
        title="Grid factor",
        help="Your own grams of CO2 for each kWh; needs --grid-source.",
        advanced=True,
    )
    grid_source: str | None = option(
        None, title="Source of the factor", help="Source of the grid factor.", advanced=True
    )
    version: str | None = option(
        None,
        title="Version",
        help="Digest of a version (default: the newest of the model).",
        advanced=True,
    )
    served_by: str | None = option(
        None, title="Target", help="Target that serves the version.", advanced=True
    )
    records: Records | None = None
    app_material: AppMaterial | None = None
    answers: Mapping[str, WrittenAnswer] = field(default_factory=dict)
    requests: Mapping[str, Requested] = field(default_factory=dict)
    created: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions(MeasuringOptions):
    """Options of the step ``evidence-verify``; its preparation adds the records of the model."""

    folder: Path = option(kind=Kind.FOLDER, positional=True, help="Folder of evidence.")
    signers: Path | None = option(
        None,
        kind=Kind.FILE,
        title="Allowed signers",
        help="Keys that may have signed it, in OpenSSH's form (name, type and key in a line).",
    )
    again: bool = option(
        False,
        title="Measure again",
        help="Also run the model on its data again and compare each figure.",
    )
    app: Path | None = option(
        None,
        kind=Kind.FILE,
        folders=True,
        help="App whose test runs again: its folder, or its app.toml.",
    )
    allow_code: bool = option(False, title="Run its Python code", help=_CODE_HELP, advanced=True)
    model: ModelRef | None = option(
        None,
        kind=Kind.MODEL,
        help="The model (default: the one of the registry with the digest in the folder).",
        advanced=True,
    )
    records: Records | None = None


EVIDENCE: Step[EvidenceOptions, EvidenceResult] = Step(
    name="evidence",
    title="Write evidence about",
    summary="Write a folder of evidence about a version: dossier, model card, bills of materials.",
    options=EvidenceOptions,
    result=EvidenceResult,
    complete="studio.features.evidence.names:with_model",
    prepare="studio.features.evidence.record:prepare",
    work="studio.features.evidence.work:write",
    record="studio.features.evidence.record:move_to_output",
    texts="studio.features.evidence.texts:written",
    limits=Limits(seconds=3600, silence=600),
    effect=Effect.LOOKS,
    use=Use.RUN,
)

EVIDENCE_VERIFY: Step[VerifyOptions, VerifyResult] = Step(
    name="evidence-verify",
    title="Verify",
    summary="Verify a folder of evidence: every byte, its signature, and every figure.",
    options=VerifyOptions,
    result=VerifyResult,
    complete="studio.features.evidence.names:with_model_of_folder",
    prepare="studio.features.evidence.record:prepare_verification",
    work="studio.features.evidence.verify:verify",
    record="studio.features.evidence.record:with_signer",
    texts="studio.features.evidence.texts:verified",
    exit_code="studio.features.evidence.texts:exit_code",
    limits=Limits(seconds=3600, silence=600),
    effect=Effect.LOOKS,
    use=Use.RUN,
    in_history=False,
)
