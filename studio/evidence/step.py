"""The steps of evidence: a folder is written about a version, and verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from studio.api import Kind
from studio.evidence.dossier.outline import Answer, Requested
from studio.evidence.records.records import Records
from studio.evidence.results import EvidenceResult, VerifyResult
from studio.jobs.options_form import option
from studio.jobs.prepared_files import PreparedFiles
from studio.jobs.step import Effect, Limits, Step, Use
from studio.lazy_dataclass import dataclass
from studio.registry import ModelRef


@dataclass(frozen=True, slots=True)
class EvidenceOptions:
    """Options of the step ``evidence``; its preparation adds the records and the answers."""

    subject: str = option(
        title="Subject",
        positional=True,
        help="Model file, NAME, NAME:VARIANT, NAME:NUMBER, NAME@ALIAS or a target.",
    )
    out: Path = option(kind=Kind.OUTPUT, title="Folder", help="Folder to write.")
    data: Path | None = option(
        None, kind=Kind.DATA, help="Labelled data (default: the project's held-out data)."
    )
    samples: int = option(
        2000,
        minimum=20,
        maximum=1_000_000,
        title="Samples",
        help="Maximum number of samples to measure on.",
    )
    by: tuple[str, ...] | None = option(
        None,
        title="Group by",
        help="Groups as for studio groups: label, brightness:3, a column of groups.csv.",
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
        500,
        minimum=16,
        maximum=100_000,
        title="Evaluations",
        help="Maximum number of scored samples for one explanation.",
        advanced=True,
    )
    framework: tuple[Path, ...] | None = option(
        None, kind=Kind.FILE, title="Framework", help="Further framework, as TOML.", advanced=True
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
    records: Records | None = None
    answers: Mapping[str, Answer] = field(default_factory=dict)
    requests: Mapping[str, Requested] = field(default_factory=dict)
    created: str = ""

    @property
    def prepared_files(self) -> PreparedFiles:
        """Files of the project that the worker reads."""
        return PreparedFiles() if self.records is None else self.records.files


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """Options of the step ``evidence-verify``; its preparation adds what the registry has."""

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
    model: ModelRef | None = option(
        None,
        kind=Kind.MODEL,
        help="The model (default: the one of the registry with the digest in the folder).",
        advanced=True,
    )
    data: Path | None = option(
        None,
        kind=Kind.DATA,
        help="The data (default: that of the model's project).",
        advanced=True,
    )
    records: Records | None = None

    @property
    def prepared_files(self) -> PreparedFiles:
        """Files of the project that the worker reads."""
        return PreparedFiles() if self.records is None else self.records.files


EVIDENCE: Step[EvidenceOptions, EvidenceResult] = Step(
    name="evidence",
    title="Write evidence about",
    summary="Write a folder of evidence about a version: dossier, model card, bills of materials.",
    options=EvidenceOptions,
    result=EvidenceResult,
    prepare="studio.evidence.record:prepare",
    work="studio.evidence.work:write",
    record="studio.evidence.record:move_to_output",
    texts="studio.evidence.texts:written",
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
    prepare="studio.evidence.record:prepare_verification",
    work="studio.evidence.verify:verify",
    record="studio.evidence.record:with_signer",
    texts="studio.evidence.texts:verified",
    exit_code="studio.evidence.texts:exit_code",
    limits=Limits(seconds=3600, silence=600),
    effect=Effect.LOOKS,
    in_history=False,
)
