"""What the parent process does for a notice: the answers, the bundle, and the output."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from studio.documents.dataclass_json import JsonValue, to_json
from studio.features.evidence.apps.app_collect import app_of_bundle, app_of_folder
from studio.features.evidence.apps.app_record import AppRecord
from studio.features.evidence.notice.qr_code import check_address
from studio.features.evidence.notice.results import NoticeResult
from studio.features.evidence.notice.step import NoticeOptions
from studio.packages.notice import notice_of
from studio.registry import Registry, VersionRecord
from studio.registry.copies import Copy
from studio.runtime.shared.user_notice import UserNotice, notice_in

FOLDER = "notice"


def prepare(registry: Registry, options: NoticeOptions) -> NoticeOptions:
    """Add the notice: of the bundle of a version, or what the next bundle would have.

    Raises:
        StudioError: when the form of the model is damaged, or the app cannot be used.
        UsageError: when the address cannot be on a sign.
    """
    if options.url is not None:
        check_address(options.url)
    digest = options.model.digest
    version = _version(registry, options)
    if version is not None:
        record = app_of_bundle(version.path, digest)
        return _with(options, notice_in(version.path), record, version)
    notice = notice_of(registry, options.model.variant)
    record = None if options.app is None else app_of_folder(options.app, digest)
    if record is not None:
        notice = notice._replace(known_limits=record.limits).bounded()
    return _with(options, notice, record, None)


def _version(registry: Registry, options: NoticeOptions) -> VersionRecord | None:
    """Return the version that was named."""
    if not options.version:
        return None
    every = registry.versions(registry.variant(options.model.variant).model)
    return next((one for one in every if one.digest == options.version), None)


def _with(
    options: NoticeOptions,
    notice: UserNotice,
    record: AppRecord | None,
    version: VersionRecord | None,
) -> NoticeOptions:
    document: dict[str, JsonValue] = to_json(notice.to_json())
    number, digest = (None, "") if version is None else (version.number, version.digest)
    return replace(options, notice=document, record=record, number=number, digest=digest)


def move_to_output(
    registry: Registry, options: NoticeOptions, result: NoticeResult, folder: Path
) -> NoticeResult:
    """Move the files to where the user wants them.

    Raises:
        StudioError: when the place is taken.
    """
    if options.out is None:
        return result
    copy = Copy.begin(folder / FOLDER, str(options.out))
    assert copy is not None
    return replace(result, output=str(copy.finish()))
