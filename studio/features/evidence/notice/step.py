"""The step that shows or exports the notice for users."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from studio.api import Kind
from studio.documents.dataclass_json import JsonValue
from studio.features.evidence.apps.app_record import AppRecord
from studio.features.evidence.notice.results import NoticeResult
from studio.features.evidence.step import EvidenceOptions
from studio.jobs import Limits, Step, Use
from studio.jobs.options_form import form, like, option
from studio.jobs.step import Effect
from studio.lazy_dataclass import dataclass
from studio.registry import ModelRef

_OF_EVIDENCE = {one.name: one for one in form(EvidenceOptions)}


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeOptions:
    """Options of the step ``evidence-notice``; its preparation adds the notice."""

    model: ModelRef = option(
        kind=Kind.MODEL,
        positional=True,
        help="Model file, app folder, NAME, NAME:VARIANT, NAME:NUMBER, NAME@ALIAS or a target.",
    )
    out: Path | None = option(
        None, kind=Kind.OUTPUT, title="Folder", help="Folder for the page and the QR code."
    )
    url: str | None = option(
        None, title="Address", help="Address of the page at its users, for the QR code."
    )
    app: Path | None = like(_OF_EVIDENCE["app"])
    version: str | None = like(_OF_EVIDENCE["version"])
    served_by: str | None = like(_OF_EVIDENCE["served_by"])
    notice: Mapping[str, JsonValue] = field(default_factory=dict)
    record: AppRecord | None = None
    number: int | None = None
    digest: str = ""


EVIDENCE_NOTICE: Step[NoticeOptions, NoticeResult] = Step(
    name="evidence-notice",
    title="Notice for users of",
    summary="Show or export the notice for users: what it is, its limits, whom to ask.",
    options=NoticeOptions,
    result=NoticeResult,
    complete="studio.features.evidence.names:with_version",
    prepare="studio.features.evidence.notice.record:prepare",
    work="studio.features.evidence.notice.work:make",
    record="studio.features.evidence.notice.record:move_to_output",
    texts="studio.features.evidence.notice.texts:lines",
    limits=Limits(seconds=120),
    effect=Effect.LOOKS,
    use=Use.READ,
)
