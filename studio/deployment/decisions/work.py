"""The work of the steps on the record of decisions, inside a worker."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from studio.api import TargetError, TargetSpec, UsageError
from studio.deployment.decisions.export_file import (
    FORMAT,
    CheckedExport,
    ExportHeader,
    ExportWriter,
    Period,
    header_line,
)
from studio.deployment.decisions.pages import PageAnswer, RecordPages
from studio.deployment.decisions.places import places_on
from studio.deployment.decisions.results import (
    DecisionRow,
    DecisionsResult,
    ExportedDecisions,
    ForgottenDecisions,
    ListResult,
    RecordFault,
    WhereResult,
)
from studio.deployment.decisions.step import (
    ExportDecisionsOptions,
    ForgetOptions,
    ListOptions,
    RecordEnd,
    VerifyDecisionsOptions,
    WhereOptions,
)
from studio.deployment.decisions.tally import DecisionCounter, row_of
from studio.deployment.machine.release_client import ReleaseClient
from studio.deployment.machine_verbs import machine_session
from studio.jobs import Job
from studio.lazy_dataclass import dataclass
from studio.runtime.decisions.chain import ChainCheck, ChainFault
from studio.runtime.decisions.entry import ChainEntry, is_digest
from studio.targets import inventory

EXPORT_FILE = "decisions.jsonl"


@dataclass(frozen=True, slots=True)
class ForgetAnswer:
    """Number of contents that were deleted."""

    forgotten: int


def newest(options: ListOptions, job: Job) -> ListResult:
    """Return the newest entries of a record."""
    rows: deque[DecisionRow] = deque(maxlen=options.lines)
    tally = DecisionCounter()

    def take(entry: ChainEntry) -> None:
        tally.add(entry)
        rows.append(row_of(entry))

    with _pages(options.target, job, options.most_mb) as pages:
        fault = _walk(pages, take).finish()
        config = pages.head.config
    return ListResult(
        options.target.name,
        config is not None and config.on,
        0 if config is None else config.days,
        tally.counts,
        tuple(reversed(rows)),
        _fault(fault),
    )


def verify(options: VerifyDecisionsOptions, job: Job) -> DecisionsResult:
    """Verify the record of a target or an exported file, on this computer."""
    if (options.target is None) == (options.file is None):
        raise UsageError("Name a target, or a file with --file.")
    if options.file is not None:
        return _verified_file(options.file)
    assert options.target is not None
    tally, wanted = DecisionCounter(), {one.number: one.hash for one in options.anchors}
    contradicted: list[ChainEntry] = []

    def take(entry: ChainEntry) -> None:
        tally.add(entry)
        if wanted.pop(entry.number, entry.hash) != entry.hash:
            contradicted.append(entry)

    with _pages(options.target, job, options.most_mb) as pages:
        check = _walk(pages, take)
    found = check.finish()
    fault = _fault(found) or _against_anchors(check, contradicted, options.anchors)
    first, last = check.first, check.last
    return DecisionsResult(
        options.target.name,
        check.entries,
        tally.counts,
        "" if first is None else first.hash,
        "" if last is None else last.hash,
        0 if last is None else last.number,
        len(options.anchors),
        fault,
    )


def _against_anchors(
    check: ChainCheck, contradicted: list[ChainEntry], anchors: tuple[RecordEnd, ...]
) -> RecordFault | None:
    """Return what contradicts earlier ends: a rewritten chain, or one whose end was cut off."""
    if contradicted:
        entry = contradicted[0]
        return RecordFault(
            "", entry.number, entry.at, "the entry differs from what was seen here before"
        )
    last = max((one.number for one in anchors), default=0)
    now = 0 if check.last is None else check.last.number
    if now < last:
        at = "" if check.last is None else check.last.at
        return RecordFault("", now, at, f"the end was cut off: entry {last} was seen here before")
    return None


def _verified_file(path: Path) -> DecisionsResult:
    found = CheckedExport.of(path)
    check, fault = found.check, found.fault
    first, last = check.first, check.last
    return DecisionsResult(
        path.name,
        check.entries,
        found.tally.counts,
        "" if first is None else first.hash,
        "" if last is None else last.hash,
        0 if last is None else last.number,
        0,
        fault,
    )


def export(options: ExportDecisionsOptions, job: Job) -> ExportedDecisions:
    """Write the entries of a period, the chain around them verified from its beginning."""
    period = Period.of(options.begin, options.end)
    output, body = job.folder / EXPORT_FILE, job.folder / "entries"
    with body.open("wb") as file:
        writer = ExportWriter(period, file)
        with _pages(options.target, job, options.most_mb) as pages:
            fault = _walk(pages, writer.add).finish()
    at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    given = options.begin or "", options.end or ""
    header = ExportHeader(FORMAT, options.target.name, *given, at, writer.entries, writer.proofs)
    digest = _joined(output, header_line(header), body)
    return ExportedDecisions(
        options.target.name,
        EXPORT_FILE,
        *given,
        at,
        writer.entries,
        writer.tally.counts,
        writer.tally.models,
        writer.first,
        writer.last,
        fault is None,
        output.stat().st_size,
        digest,
        _fault(fault),
    )


def _joined(output: Path, header: bytes, body: Path) -> str:
    """Write a header and a file behind it; return the SHA-256 of both."""
    digest = hashlib.sha256(header)
    with open(output, "wb", opener=_private) as file, body.open("rb") as entries:
        file.write(header)
        while chunk := entries.read(1 << 20):
            file.write(chunk)
            digest.update(chunk)
    body.unlink()
    return digest.hexdigest()


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


def forget(options: ForgetOptions, job: Job) -> ForgottenDecisions:
    """Delete what a record holds of a request or an input."""
    request = _named(options.what)
    with _agent(options.target, job) as agent:
        done = agent.request(ForgetAnswer, "forget", request, timeout=3600)
    return ForgottenDecisions(options.target.name, agent.owner, done.forgotten)


def _named(what: str) -> dict[str, str]:
    """Return the request or the digest of an input that a text names."""
    return {"input": what} if is_digest(what) else {"request": what}


def where(options: WhereOptions, job: Job) -> WhereResult:
    """Return the places with data that may be about persons."""
    with _agent(options.target, job) as agent:
        answer = agent.request(PageAnswer, "decisions", {"read": False})
        root = agent.root
    there = places_on(options.target.name, root, answer)
    return WhereResult(options.target.name, (*there, *options.desk))


def _walk(pages: RecordPages, take: Callable[[ChainEntry], None]) -> ChainCheck:
    """Check each line, and hand over the whole entries."""
    check = ChainCheck()
    for line, name, number in pages:
        entry = check.add(line, name, number)
        if entry is not None:
            take(entry)
    return check


def _fault(found: ChainFault | None) -> RecordFault | None:
    return None if found is None else RecordFault(*found)


@contextmanager
def _agent(target: TargetSpec, job: Job) -> Iterator[ReleaseClient]:
    refusal = "is a platform target, which keeps no record of decisions."
    with machine_session(target, job, refusal, parts=("decisions",)) as (channel, agent):
        if inventory.read(channel, agent.root).is_bare:
            raise TargetError("This target has no release.")
        agent.install()
        yield agent


@contextmanager
def _pages(target: TargetSpec, job: Job, most_mb: float) -> Iterator[RecordPages]:
    with _agent(target, job) as agent:
        yield RecordPages(agent, job, most_mb)
