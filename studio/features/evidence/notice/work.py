"""Work of the step ``evidence-notice``: the document and page of a server, and the QR code."""

from __future__ import annotations

import json

from studio.documents.dataclass_json import to_json
from studio.features.evidence.apps.app_record import AppRecord
from studio.features.evidence.notice.qr_code import qr_svg
from studio.features.evidence.notice.record import FOLDER
from studio.features.evidence.notice.results import NoticeResult
from studio.features.evidence.notice.step import NoticeOptions
from studio.jobs import Job
from studio.packages.notice import ANSWERS
from studio.runtime.serve.about.document import AppNotice, KeptData, ServedNotice, about
from studio.runtime.serve.about.page import page
from studio.runtime.shared.user_notice import UserNotice

_RELEASE = 12


def make(options: NoticeOptions, job: Job) -> NoticeResult:
    """Return the notice as a server with default settings would show it."""
    notice, record = UserNotice.of(dict(options.notice)), options.record
    served = ServedNotice(
        name=options.model.model_name,
        version="" if options.number is None else str(options.number),
        release=options.digest[:_RELEASE],
        notice=notice,
        app=None if record is None else AppNotice(record.name, record.title, record.notice),
        bands=() if record is None else _bands(record),
    )
    document = about([served], _kept(record))
    text = page(document)
    result = NoticeResult(
        title=document["serves"][0]["title"],
        notice=to_json(document),
        page=text,
        open=tuple(question for name, question in ANSWERS.items() if not getattr(notice, name)),
        version=options.number,
        qr="" if options.url is None else qr_svg(options.url),
        files=(*("about.html", "about.json"), *(("qr.svg",) if options.url is not None else ())),
    )
    if options.out is not None:
        _write(result, job)
    return result


def _write(result: NoticeResult, job: Job) -> None:
    folder = job.folder / FOLDER
    folder.mkdir()
    (folder / "about.html").write_text(result.page, encoding="utf-8")
    document = json.dumps(result.notice, indent=1, sort_keys=True, ensure_ascii=False)
    (folder / "about.json").write_text(document + "\n", encoding="utf-8")
    if result.qr:
        (folder / "qr.svg").write_text(result.qr, encoding="utf-8")


def _bands(record: AppRecord) -> tuple[tuple[str, float, float], ...]:
    return tuple((one.name, one.refer[0], one.refer[1]) for one in record.models if one.refer)


def _kept(record: AppRecord | None) -> KeptData:
    """Return what a server with default settings keeps."""
    if record is None:
        return KeptData(log_rate=1.0)
    sinks = tuple(dict.fromkeys(one.type for one in record.of("sink")))
    return KeptData(events_days=record.stored[1], events_to=sinks, log_rate=1.0)
