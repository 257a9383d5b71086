"""SOAK: the new release must stay up and answer for a while before it is committed.

With a quality rule it is also held against the release before: the server runs a part of the
requests through both (see ``serve.mirror``), and sequential tests decide as soon as they can.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...shared.errors import ReleaseError
from ...shared.files import remove, write_atomically
from ...shared.trial_request import FILE, TrialRequest
from .decision import KEEP, Counts, TrialDecision, TrialFinding, decision
from .sequential import BAD, GOOD

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Callable, Protocol

    class WatchedServer(Protocol):
        """A server that is asked how it is: the one of a board, or that of a container.

        Attributes:
            ended: What is said when it lives no more.
        """

        ended: str

        def runs(self) -> bool:
            """Whether it lives."""

        def report(self) -> Mapping[str, Any]:
            """Where it listens, as it wrote it down."""

        def token(self) -> str:
            """What it wants to be shown; empty when it wants none."""

    class NoteFolder(Protocol):
        """Where the server looks for notes."""

        @property
        def run(self) -> Path:
            """Their folder."""


_POLL_S = 0.1
_SELDOM_S = 0.5
_ANSWER_S = 5.0
_FEW = 20
_MOST_ERRORS = 0.5
_CRASH = 60
"""Requests that one end of the serving process counts for, as failed ones among them."""
_TOLD = " ({:.2f} times as long)"
_REPEATED = " ({} to requests like the ones before are left out)"


def soak(server: WatchedServer, digest: str, seconds: float) -> None:
    """Watch the live server.

    Raises:
        ReleaseError: when it ends, serves something else, does not answer, or mostly fails.
    """
    deadline = time.monotonic() + seconds
    first = status_of(server, digest)
    while time.monotonic() < deadline:
        time.sleep(_POLL_S)
        now = status_of(server, digest)
        requests = _count(now, "requests") - _count(first, "requests")
        errors = _count(now, "errors") - _count(first, "errors")
        if requests >= _FEW and errors > _MOST_ERRORS * requests:
            raise failed("{} of {} requests failed".format(errors, requests))


class ReleaseTrial:
    """One release on trial.

    Args:
        before: Digest of the release that it replaces; empty where there is none.
        adrift: Whether that one saw drift; None to ask the server, which still serves it.
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
        self._last: dict[str, Any] = {}

    def run(
        self,
        quality: TrialDecision,
        seconds: float,
        tell: Callable[[dict[str, Any]], None] | None = None,
    ) -> dict[str, Any]:
        """Watch the live server until the rule decides, or the time is over.

        Args:
            tell: Called with the evidence so far, with each look.

        Returns:
            The evidence: ``decision``, ``seconds`` and the findings of each test.

        Raises:
            ReleaseError: when the release is to be taken back; its detail is the evidence.
        """
        began = time.monotonic()
        wish = self._layout.run / FILE
        if self._before:
            asked = TrialRequest(self._digest, self._before, quality.rule.beyond)
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
        tell: Callable[[dict[str, Any]], None] | None,
    ) -> dict[str, Any]:
        while True:
            self._look()
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
                if quality.rule.undecided == KEEP:
                    return {**told, "decision": "kept undecided"}
                open_ones = ", ".join(one.test for one in findings if one.says == "open")
                raise failed("inconclusive after {:g} s: {}".format(seconds, open_ones), told)
            time.sleep(_POLL_S if spent < 10.0 else _SELDOM_S)

    def _quiet(self) -> None:
        """Let the server see that nothing is to be compared any more."""
        try:
            status_of(self._server, self._digest)
        except ReleaseError:
            pass  # it is about to be taken back, or has just ended

    def _look(self) -> None:
        """Count what came since the last look; a process that was replaced counts from 0 again."""
        now = status_of(self._server, self._digest)
        pid = int(now.get("pid") or 0)
        first = not self._pid
        if pid != self._pid:
            self._crashes += not first
            self._last = {} if not first else now
            self._pid = pid
        self._requests += max(_count(now, "requests") - _count(self._last, "requests"), 0)
        self._errors += max(_count(now, "errors") - _count(self._last, "errors"), 0)
        self._last = now

    def _counts(self) -> dict[str, Counts]:
        mirror = self._last.get("mirror") or {}
        lost = _CRASH * self._crashes
        errors = Counts(self._errors + lost, self._requests + lost)
        why_not = str(mirror.get("fault") or "")
        if not self._before:
            why_not = "there is no previous release"
        compared, repeated = _count(mirror, "compared"), _count(mirror, "repeated")
        told = _REPEATED.format(repeated) if repeated else ""
        agreement = Counts(compared - _count(mirror, "agreed"), compared, why_not, told)
        told = _TOLD.format(mirror["ratio"]) if mirror.get("ratio") else ""
        latency = Counts(_count(mirror, "slower"), _count(mirror, "timed"), why_not, told)
        return {
            "errors": errors,
            "agreement": agreement,
            "latency": latency,
            "drift": self._drift(mirror, why_not),
        }

    def _drift(self, mirror: Mapping[str, Any], why_not: str) -> Counts:
        told = mirror.get("drift")
        if why_not:
            return Counts(why_not=why_not)
        if self._was_adrift:
            return Counts(why_not="what is asked differed from the reference data before, too")
        if mirror and told is None and _count(mirror, "compared"):
            return Counts(why_not="the previous release has no reference data")
        told = told or {}
        fault = str(told.get("fault") or "")
        return Counts(_count(told, "differing"), _count(told, "windows"), fault)


def _evidence(findings: list[TrialFinding], spent: float) -> dict[str, Any]:
    return {"seconds": round(spent, 2), "tests": [dict(one._asdict()) for one in findings]}


def _against(findings: list[TrialFinding]) -> str:
    return "; ".join(one.text for one in findings if one.says == BAD)


def _is_adrift(server: WatchedServer, digest: str) -> bool:
    """Whether the release that is still served sees other things than its reference data."""
    try:
        drift = status_of(server, digest).get("drift") or {}
    except ReleaseError:
        return False
    return bool(drift.get("alarm"))


def status_of(server: WatchedServer, digest: str) -> dict[str, Any]:
    """What a server tells of itself.

    Raises:
        ReleaseError: when it ended, does not answer, or serves something else.
    """
    # Only now: what these load would be half of the time until a release is served again.
    import http.client

    from ...shared.link import authorization, connect

    if not server.runs():
        raise failed(server.ended)
    report = server.report()
    host = str(report.get("host", ""))
    host = "127.0.0.1" if host in ("", "0.0.0.0", "::") else host
    link = connect(report, host, int(report.get("port", 0)), _ANSWER_S)
    try:
        link.request("GET", "/edgewright/status", headers=authorization(server.token()))
        answer = link.getresponse()
        status = json.loads(answer.read())
    except ConnectionRefusedError:  # nobody listens: it ended since it was looked for
        raise failed(server.ended) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise failed("the server does not answer ({})".format(error)) from None
    finally:
        link.close()
    if status.get("digest") != digest:
        raise failed("the server serves another release")
    return dict(status)


def _count(status: Mapping[str, Any], name: str) -> int:
    return int(status.get(name) or 0)


def failed(reason: str, evidence: Mapping[str, Any] | None = None) -> ReleaseError:
    """Of a release that is to be taken back."""
    error = ReleaseError(
        "soak-failed",
        "The release was rolled back after the switch: {}.".format(reason),
        "The previous release is running again.",
    )
    if evidence is not None:
        error.detail = json.dumps(dict(evidence, decision="taken back"), sort_keys=True)
    return error


def evidence_of(error: Exception) -> dict[str, Any]:
    """What a failed soak knew, for the journal."""
    try:
        found = json.loads(getattr(error, "detail", "") or "{}")
    except ValueError:
        found = {}
    return {"decision": "taken back", "reason": str(error), **found}
