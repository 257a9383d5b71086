"""SOAK: the new release must stay up and answer for a while before it is committed.

With a quality rule it is also compared with the previous release: the server runs some of the
requests through both (see ``serve.mirror``), and sequential tests decide as soon as they can.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple, Optional

from ...shared.errors import ReleaseError
from ...shared.files import remove, write_atomically
from ...shared.records import read
from ...shared.trial_request import FILE, TrialRequest
from .decision import (
    GOLDEN,
    KEEP,
    LONGEST,
    TAKE_BACK,
    Counts,
    TrialDecision,
    TrialFinding,
    TrialRule,
    decision,
)
from .sequential import BAD, GOOD, OPEN

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Callable, Protocol

    class WatchedServer(Protocol):
        """Server whose status is polled: the one of a board, or that of a container.

        Attributes:
            ended: Message for the case that it has ended.
        """

        ended: str

        def runs(self) -> bool:
            """Return whether it lives."""

        def report(self) -> Mapping[str, object]:
            """Return its address, as it has recorded it."""

        def token(self) -> str:
            """Return the token that it requires; empty if none."""

    class NoteFolder(Protocol):
        """Folder in which the server looks for notes."""

        @property
        def run(self) -> Path:
            """Their folder."""


_POLL_S = 0.1
_SELDOM_S = 0.5
_ANSWER_S = 15.0
"""A card that writes, or a busy processor, delays an answer by seconds on a healthy board."""
_FEW = 20
_MOST_ERRORS = 0.5
_CRASH = 60
"""Requests that one end of the serving process counts for, as failed ones among them."""
_TOLD = " ({:.2f} times as long)"
_TOLD_OF_ANSWERS = " (mean KL {:.4f} nats a token, the same top token at {:.1%})"
_REPEATED = " ({} to requests like the ones before are left out)"
_GOLDEN = " ({} of them golden samples)"


class _Drift(NamedTuple):
    """Drift in the server's report: of its own release, or of the previous one."""

    alarm: bool = False
    fault: str = ""
    differing: int = 0
    windows: int = 0


class ShadowReport(NamedTuple):
    """Server's report on requests that both releases have answered.

    Attributes:
        loaded: Whether the previous release is loaded next to it.
        repeated: Requests like the ones before, which are left out.
        golden: Golden samples among the compared requests.
        ratio: How many times as long the new release takes; 0 where that is not known.
        untimed: Why the two are not timed next to each other; empty where they are.
        answers, diverging: Written answers whose distributions were compared, and those of them
            that diverge; None where the model writes none.
        divergence: Mean divergence of their tokens, in nats; None before the first.
        same_top: Share of their tokens that both releases prefer; None before the first.
    """

    loaded: bool = False
    fault: str = ""
    compared: int = 0
    agreed: int = 0
    repeated: int = 0
    golden: int = 0
    timed: int = 0
    slower: int = 0
    ratio: float = 0.0
    untimed: str = ""
    drift: Optional[Mapping[str, object]] = None
    answers: Optional[int] = None
    diverging: int = 0
    divergence: Optional[float] = None
    same_top: Optional[float] = None


class _App(NamedTuple):
    """The app of a release, as its server reports it."""

    state: str = ""
    fault: str = ""


class ServerStatus(NamedTuple):
    """Status that a server reports."""

    digest: str = ""
    pid: int = 0
    requests: int = 0
    errors: int = 0
    drift: Mapping[str, object] = {}
    app: Optional[Mapping[str, object]] = None
    mirror: Optional[Mapping[str, object]] = None


class _Address(NamedTuple):
    """Address of a server."""

    host: str = ""
    port: int = 0


def soak(server: WatchedServer, digest: str, seconds: float) -> None:
    """Watch the live server.

    Raises:
        ReleaseError: when it ends, serves something else, does not answer, or mostly fails.
    """
    deadline = time.monotonic() + seconds
    first = read(ServerStatus, status_of(server, digest))
    while time.monotonic() < deadline:
        time.sleep(_POLL_S)
        now = _checked(read(ServerStatus, status_of(server, digest)))
        requests, errors = now.requests - first.requests, now.errors - first.errors
        if requests >= _FEW and errors > _MOST_ERRORS * requests:
            raise failed("{} of {} requests failed".format(errors, requests))


class ReleaseTrial:
    """Trial of one release.

    Args:
        before: Digest of the release that it replaces; empty without one.
        adrift: Whether that one saw drift; None to query the server, which still serves it.
    """

    def __init__(
        self,
        server: WatchedServer,
        layout: NoteFolder,
        digest: str,
        before: str,
        adrift: bool | None = None,
    ) -> None:
        self._server = server
        self._layout = layout
        self._digest = digest
        self._before = before
        self._was_adrift = _is_adrift(server, before) if before and adrift is None else bool(adrift)
        self._pid = 0
        self._requests = self._errors = self._crashes = 0
        self._last = ServerStatus()

    def run(
        self,
        quality: TrialDecision,
        seconds: float,
        tell: Callable[[dict[str, object]], None] | None = None,
    ) -> dict[str, object]:
        """Watch the live server until the rule decides, or the time is over.

        Args:
            seconds: Usual limit; ``LONGEST`` times as long while the evidence is against it.
            tell: Called with the evidence so far at each poll.

        Returns:
            The evidence: ``decision``, ``seconds`` and the findings of each test.

        Raises:
            ReleaseError: when the release must be rolled back; its detail is the evidence.
        """
        began = time.monotonic()
        wish = self._layout.run / FILE
        if self._before:
            asked = request_of(self._digest, self._before, quality.rule)
            write_atomically(wish, asked.content())
        try:
            return self._decide(quality, began, seconds, tell)
        finally:
            remove(wish)
            self._quiet()

    def _decide(
        self,
        quality: TrialDecision,
        began: float,
        seconds: float,
        tell: Callable[[dict[str, object]], None] | None,
    ) -> dict[str, object]:
        while True:
            self._poll()
            findings = quality.findings(self._counts())
            found, spent = decision(findings), time.monotonic() - began
            told = _evidence(findings, spent)
            if tell is not None:
                tell(told)
            if found == BAD:
                raise failed(_against(findings), told)
            if found == GOOD:
                return {**told, "decision": "kept"}
            if spent >= seconds:
                end = quality.when_over(findings, spent >= LONGEST * seconds)
                if end == KEEP:
                    return {**told, "decision": "kept undecided"}
                if end == TAKE_BACK:
                    raise failed(_inconclusive(quality, findings, spent), told)
            time.sleep(_POLL_S if spent < 10.0 else _SELDOM_S)

    def _quiet(self) -> None:
        """Poll once more, so that the server notices the end of the comparison."""
        try:
            status_of(self._server, self._digest)
        except ReleaseError:
            pass  # it is about to be rolled back, or has just ended

    def _poll(self) -> None:
        """Count the requests since the last poll; a replaced process counts from 0 again."""
        now = _checked(read(ServerStatus, status_of(self._server, self._digest)))
        first = not self._pid
        if now.pid != self._pid:
            self._crashes += not first
            self._last = ServerStatus() if not first else now
            self._pid = now.pid
        self._requests += max(now.requests - self._last.requests, 0)
        self._errors += max(now.errors - self._last.errors, 0)
        self._last = now

    def _counts(self) -> dict[str, Counts]:
        mirror = shadow_of(self._last)
        lost = _CRASH * self._crashes
        errors = Counts(self._errors + lost, self._requests + lost)
        why_not = mirror.fault
        if not self._before:
            why_not = "there is no previous release"
        told = _GOLDEN.format(mirror.golden) if mirror.golden else ""
        told += _REPEATED.format(mirror.repeated) if mirror.repeated else ""
        unlike = mirror.compared - mirror.agreed
        agreement = Counts(unlike, mirror.compared, why_not, told)
        told = _TOLD.format(mirror.ratio) if mirror.ratio else ""
        latency = Counts(mirror.slower, mirror.timed, why_not or mirror.untimed, told)
        counts = {
            "errors": errors,
            "agreement": agreement,
            "latency": latency,
            "drift": self._drift(mirror, why_not),
        }
        if mirror.answers is not None:
            told = _told_of_answers(mirror)
            counts["divergence"] = Counts(mirror.diverging, mirror.answers, why_not, told)
        return counts

    def _drift(self, mirror: ShadowReport, why_not: str) -> Counts:
        if why_not:
            return Counts(why_not=why_not)
        if self._was_adrift:
            return Counts(why_not="what is asked differed from the reference data before, too")
        if mirror.drift is None and mirror.compared:
            return Counts(why_not="the previous release has no reference data")
        drift = read(_Drift, mirror.drift or {})
        return Counts(drift.differing, drift.windows, drift.fault)


def request_of(digest: str, before: str, rule: TrialRule) -> TrialRequest:
    """Return the comparison that a trial wants of the server."""
    is_golden = rule.requests == GOLDEN
    return TrialRequest(digest, before, rule.beyond, diverging=rule.diverging, golden=is_golden)


def _told_of_answers(mirror: ShadowReport) -> str:
    if mirror.divergence is None or mirror.same_top is None:
        return ""
    return _TOLD_OF_ANSWERS.format(mirror.divergence, mirror.same_top)


def _checked(status: ServerStatus) -> ServerStatus:
    """Return a status.

    Raises:
        ReleaseError: when the app of the release could not be started.
    """
    app = read(_App, status.app or {})
    if app.state == "failed":
        raise failed("its app does not run. {}".format(app.fault))
    return status


def _evidence(findings: list[TrialFinding], spent: float) -> dict[str, object]:
    return {"seconds": round(spent, 2), "tests": [dict(one._asdict()) for one in findings]}


def _inconclusive(quality: TrialDecision, findings: list[TrialFinding], spent: float) -> str:
    """Return the reason of a rollback that no test has decided, the heaviest evidence first."""
    open_ones = sorted((one for one in findings if one.says == OPEN), key=quality.weight)
    texts = [
        "{} ({})".format(one.test, one.text) if quality.weight(one) > 0.0 else one.test
        for one in reversed(open_ones)
    ]
    return "inconclusive after {:.0f} s: {}".format(spent, ", ".join(texts))


def _against(findings: list[TrialFinding]) -> str:
    return "; ".join(one.text for one in findings if one.says == BAD)


def _is_adrift(server: WatchedServer, digest: str) -> bool:
    """Return whether the release that is still served sees drift."""
    try:
        status = read(ServerStatus, status_of(server, digest))
    except ReleaseError:
        return False
    return read(_Drift, status.drift).alarm


def shadow_of(status: ServerStatus) -> ShadowReport:
    """Return a server's report on requests that both releases have answered."""
    return read(ShadowReport, status.mirror or {})


def status_of(server: WatchedServer, digest: str) -> dict[str, object]:
    """Return the status that a server reports.

    Raises:
        ReleaseError: when it ended, does not answer, or serves something else.
    """
    # Only now: what these load would be half of the time until a release is served again.
    import http.client

    from ...shared.link import authorization, connect

    if not server.runs():
        raise failed(server.ended)
    report = server.report()
    host, port = read(_Address, report)
    host = "127.0.0.1" if host in ("", "0.0.0.0", "::") else host
    link = connect(report, host, port, _ANSWER_S)
    try:
        link.request("GET", "/edgewright/status", headers=authorization(server.token()))
        answer = link.getresponse()
        status = json.loads(answer.read())
    except ConnectionRefusedError:  # no process listens: it ended since the last check
        raise failed(server.ended) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise failed("the server does not answer ({})".format(error)) from None
    finally:
        link.close()
    if read(ServerStatus, status).digest != digest:
        raise failed("the server serves another release")
    return dict(status)


def failed(reason: str, evidence: Mapping[str, object] | None = None) -> ReleaseError:
    """Return the error of a release that must be rolled back."""
    error = ReleaseError(
        "soak-failed",
        "The release was rolled back after the switch: {}.".format(reason),
        "The previous release is running again.",
    )
    if evidence is not None:
        error.detail = json.dumps(dict(evidence, decision="taken back"), sort_keys=True)
    return error


def evidence_of(error: Exception) -> dict[str, object]:
    """Return the evidence of a failed soak, for the journal."""
    try:
        found = json.loads(getattr(error, "detail", "") or "{}")
    except ValueError:
        found = {}
    return {"decision": "taken back", "reason": str(error), **found}
