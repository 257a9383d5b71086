"""SWITCH, SOAK, COMMIT, ROLLBACK: atomic change of the served release."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ..backends.providers import check
from ..shared.errors import LoadError, ReleaseError
from ..shared.files import point, remove
from ..shared.manifest import NAME, SIGNATURE, Manifest, verify
from ..shared.records import read
from .board import Board
from .runtime_parts import provide_parts
from .server import access
from .server.server_control import Address, Server, StartedService
from .store import state
from .store.latest_releases import advanced, order_digest, order_of
from .switch_requests import (
    PastRelease,
    RollbackRequest,
    StartRequest,
    StopRequest,
    SwitchRequest,
)
from .trial.requests import agreement_of, allow, compare, decisions_kept, sampling_of
from .trial.soak import ReleaseTrial, evidence_of, soak

if TYPE_CHECKING:
    from .trial.decision import TrialDecision

_DOWNGRADE = "downgrade: "
"""Begins the reason in the history of a release that is older than what was there."""


class SwitchPlan(NamedTuple):
    """Settings of one switch."""

    address: Address
    wish: Mapping[str, object]
    ready_s: float | None
    soak_s: float
    quality: TrialDecision | None = None


def switch(board: Board, request: Mapping[str, object]) -> dict[str, object]:
    """Serve a staged release; on any failure restore the previous one.

    Args:
        request: A ``SwitchRequest`` in JSON form; with ``downgrade`` (why an older
            release is wanted) and those of ``trial.requests``.

    Returns:
        What is served where; with ``secret``, the token, when it is a new one.

    Raises:
        ReleaseError: why the new release could not be served.
    """
    with decisions_kept(board.layout, request) as begins:
        return _switch(board, request, begins)


def _switch(board: Board, request: Mapping[str, object], begins: bool) -> dict[str, object]:
    from .intake.stage import check_counter
    from .trial.decision import TrialDecision, rule_of

    asked = read(SwitchRequest, request)
    what = board.manifest(asked.release)
    reason = check_counter(board, what, request)
    _check_signature(board, what)
    server = Server(board.layout)
    plan = _plan(server, asked)
    if asked.quality is not None:
        plan = plan._replace(quality=TrialDecision(rule_of(asked.quality)))
    allowed, share = sampling_of(request), agreement_of(request)
    is_same = _serving(server, what, plan) and not access.is_changed(board.layout, plan.wish)
    if what.digest == board.state.current and is_same:
        if begins:  # its runtime may be another one now
            _serve(board, server, what.digest, plan)
        board.save(board.state.at(state.IDLE, ""))
        allow(board.layout, what.digest, allowed)
        compare(board.layout, what.digest, board.state.previous, share)
        return _outcome(board, "unchanged", what, server)
    evidence = _change(board, server, what, plan)
    _commit(board, what, plan, reason)
    allow(board.layout, what.digest, allowed)
    compare(board.layout, what.digest, board.state.previous, share)
    done = _outcome(board, "active", what, server)
    done["soak"] = evidence
    done["reason"] = reason
    if read(access.AccessChange, plan.wish).token == "new":
        done["secret"] = access.token(board.layout)
    return done


def rollback(board: Board, request: Mapping[str, object]) -> dict[str, object]:
    """Serve an earlier release again.

    Args:
        request: A ``RollbackRequest`` in JSON form.

    Raises:
        ReleaseError: when it is not on the target any more, or cannot be served.
    """
    start = time.monotonic()
    now = board.state.current
    if not now:
        raise ReleaseError("nothing-deployed", "This target has no release.")
    left, what = board.manifest(now), _earlier(board, read(RollbackRequest, request).to)
    verify(board.layout.release(what.digest), what)  # it may have lain there for a year
    server = Server(board.layout)
    plan = _plan(server, read(SwitchRequest, request))
    _change(board, server, what, plan)
    board.save(board.state.noted(board.note(left, "rolled back")))
    _commit(board, what, plan)
    facts = _outcome(board, "active", what, server)
    facts.update(
        {
            "from": left.version,
            "to": what.version,
            "left": left.digest,
            "seconds": time.monotonic() - start,
        }
    )
    return facts


def recover(board: Board) -> None:
    """Undo what an interrupted command left: an uncommitted release is never kept active."""
    now = board.state
    if now.phase in state.UNCOMMITTED:
        board.journal.append("recovered", phase=now.phase, release=now.pending, owner=board.owner)
        _restore(board, Server(board.layout), now.current)
    elif now.current != board.layout.linked():
        link(board, now.current)
    if now.phase != state.IDLE:
        board.save(now.at(state.IDLE, ""))


def start_current(board: Board, request: Mapping[str, object]) -> dict[str, object]:
    """Start the server of the current release, if it does not run (after a restart, say).

    Args:
        request: A ``StartRequest`` in JSON form.
    """
    if not board.state.current:
        raise ReleaseError("nothing-deployed", "This target has no release.")
    server = Server(board.layout)
    what = board.manifest(board.state.current)
    plan = _plan(server, read(SwitchRequest, request))
    if read(StartRequest, request).anew:
        server.stop()
    if not server.serves(what.digest):
        _serve(board, server, what.digest, plan)
        board.journal.append("started", release=what.digest, owner=board.owner)
    return _outcome(board, "active", what, server)


def stop_current(board: Board, request: Mapping[str, object]) -> dict[str, object]:
    """Stop the server; the release stays in place."""
    return {"stopped": _stop(board, read(StopRequest, request))}


def _stop(board: Board, request: StopRequest) -> bool:
    stopped = Server(board.layout).stop(request.seconds or StopRequest().seconds)
    if stopped:
        board.journal.append("stopped", release=board.state.current, owner=board.owner)
    return stopped


def withdraw(board: Board, request: Mapping[str, object]) -> dict[str, object]:
    """Stop the server and withdraw the current release."""
    stopped = _stop(board, read(StopRequest, request))
    left = board.state.current
    # The model's line stays: removing a release is no way to go back behind it. A purge is.
    new = board.state.at(state.IDLE, "")._replace(current="", previous=left)
    if left:
        new = new.noted(board.note(board.manifest(left), "removed"))
    board.save(new)
    remove(board.layout.current)
    return {"stopped": stopped, "release": left, "log": board.journal.stand()}


def _plan(
    server: Server, request: SwitchRequest, service: Mapping[str, object] | None = None
) -> SwitchPlan:
    """Return the requested plan; by default with the address of the running service."""
    service = server.service() if service is None else service
    started = read(StartedService, service)
    host = request.host or started.host or "127.0.0.1"
    port = _port(server, request, started, host)
    wish = request.access or {}
    providers = started.providers if request.providers is None else _checked(request.providers)
    address = Address(host, port, access.desired(service, wish), providers)
    return SwitchPlan(address, wish, request.ready_s or None, request.soak_s)


def _checked(providers: str) -> str:
    """Return names of providers, which become part of a command line."""
    try:
        check(providers)
    except LoadError as error:
        raise ReleaseError("bad-request", str(error)) from None
    return providers


def _port(server: Server, request: SwitchRequest, started: StartedService, host: str) -> int:
    """Return the requested port, else the endpoint's own, which is chosen if it has none."""
    if request.port:
        return int(request.port)
    reported = server.status.port
    live = reported if server.runs() else 0
    # A service that was started by an earlier runtime did not receive its port.
    own = live or started.port or reported
    if own and request.port is None:
        return own
    return server.choose_port(host, request.usual_port)


def _serving(server: Server, what: Manifest, plan: SwitchPlan) -> bool:
    return (
        server.serves(what.digest) and server.listens(plan.address) and server.has_current_manager()
    )


def _change(board: Board, server: Server, what: Manifest, plan: SwitchPlan) -> dict[str, object]:
    """Point to a release and serve it; put everything back when that fails."""
    before = board.state.current
    trial = ReleaseTrial(server, board.layout, what.digest, before if plan.quality else "")
    server.remember()
    board.save(board.state.at(state.SWITCH, what.digest))
    try:
        access.change(board.layout, plan.wish, plan.address.access)
        link(board, what.digest)
        board.emit("phase", phase=state.SWITCH)
        _serve(board, server, what.digest, plan)
        board.save(board.state.at(state.SOAK, what.digest))
        board.emit("phase", phase=state.SOAK)
        evidence: dict[str, object] = {}
        if plan.quality is None:
            soak(server, what.digest, plan.soak_s)
        else:
            evidence = trial.run(plan.quality, plan.soak_s)
            board.journal.append("soak", release=what.digest, before=before, **evidence)
        return evidence
    except (ReleaseError, OSError) as error:
        _restore(board, server, before)
        if plan.quality is not None and getattr(error, "code", "") == "soak-failed":
            board.journal.append("soak", release=what.digest, before=before, **evidence_of(error))
        entry = board.note(what, "failed", reason=str(error))
        board.save(board.state.at(state.IDLE, "").noted(entry))
        raise


def _serve(board: Board, server: Server, digest: str, plan: SwitchPlan) -> None:
    """Reload the running server where that is enough, else start one."""
    provide_parts(board, digest)
    binding = board.binding(digest)
    ready_s = binding.ready_s if plan.ready_s is None else plan.ready_s
    loaded = server.status.state in ("ready", "failed")
    if loaded and server.runs() and server.listens(plan.address) and server.has_current_manager():
        stamp = server.stamp()
        server.reload()
        server.wait_for(digest, stamp, ready_s)
    else:
        server.require_port(plan.address)
        server.start(binding, plan.address)
        server.wait_for(digest, (0, 0), ready_s)
    server.settle(binding, plan.address)


def _restore(board: Board, server: Server, before: str) -> None:
    """Restore the previous release, its address and its access, or serve nothing."""
    link(board, before)
    plan = _plan(server, SwitchRequest(), server.before())
    access.revert(board.layout, plan.address.access)
    if not before:
        server.stop()
    if not before or _is_back(board, server, before, plan):
        server.remember(forget=True)
        return
    try:
        _serve(board, server, before, plan)
        server.remember(forget=True)
    except (ReleaseError, OSError) as error:
        board.journal.append("restore-failed", release=before, reason=str(error))


def _is_back(board: Board, server: Server, digest: str, plan: SwitchPlan) -> bool:
    same = server.status.fingerprint == access.fingerprint(board.layout, plan.address.access)
    return same and server.serves(digest) and server.listens(plan.address)


def link(board: Board, digest: str) -> None:
    """Point ``current`` to a release, or remove it."""
    if digest:
        point(board.layout.current, "releases/" + digest)
    else:
        remove(board.layout.current)


def _commit(board: Board, what: Manifest, plan: SwitchPlan, reason: str = "") -> None:
    now = board.state
    previous = now.current if now.current != what.digest else now.previous
    address = plan.address
    facts = {"reason": _DOWNGRADE + reason} if reason else {}
    if reason and board.layout.allowed_signers() is not None:
        facts["order"] = order_digest(order_of(now.lines, what.name, what.digest, reason))
    place = {"host": address.host, **address.access._asdict()}
    entry = board.note(what, "active", **place, **facts)
    kept = now.at(state.IDLE, "").noted(entry)
    kept = kept._replace(lines=advanced(now.lines, what.name, entry))
    board.save(kept._replace(current=what.digest, previous=previous, counter=what.counter))
    # Should this be cut off here, the old token is valid until the next release: no harm.
    access.settle(board.layout, address.access)
    Server(board.layout).remember(forget=True)


def _check_signature(board: Board, what: Manifest) -> None:
    """Check the signature again: signers may have changed since staging. Rollbacks are exempt."""
    from .intake.signature import check

    if what.digest == board.state.current:
        return
    folder = board.layout.release(what.digest)
    try:
        signature = (folder / SIGNATURE).read_text("ascii")
    except (OSError, ValueError):
        signature = ""
    check(board.layout, (folder / NAME).read_bytes(), signature)


def _earlier(board: Board, wanted: str) -> Manifest:
    now = board.manifest(board.state.current)
    others = [one for one in board.staged() if one.digest != now.digest]
    if wanted:
        found = [one for one in others if wanted in (str(one.version), one.digest)]
    else:
        found = _proved(board.state, [one for one in others if _came_before(board.state, one, now)])
    if found:
        return found[-1]
    there = ", ".join(str(one.version) for one in others)
    what = "Version {}".format(wanted) if wanted else "An earlier release"
    sentence = "{} is not on this target (beside version {}: {})."
    raise ReleaseError(
        "no-such-release",
        sentence.format(what, now.version, there or "none"),
        "Name an available version with --to. " * bool(there)
        + 'Deploy an older version with --downgrade "REASON".',
    )


def _proved(now: state.ReleaseState, found: list[Manifest]) -> list[Manifest]:
    """Return the releases without those that only ever failed; rolled back ones come first.

    One that failed its trial may lie on the disk until the next collection. Its counter is higher
    than that of the release before.
    """
    past = PastRelease.all(now.history)
    last = {entry.release: entry.state for entry in past}
    served = {entry.release for entry in past if entry.state == "active"}
    kept = [one for one in found if one.digest in served or last.get(one.digest) != "failed"]
    return sorted(kept, key=lambda one: last.get(one.digest) != "rolled back")


def _came_before(now: state.ReleaseState, one: Manifest, current: Manifest) -> bool:
    """Return whether a release is earlier: by its counter, or by history for another model."""
    active = [entry for entry in PastRelease.all(now.history) if entry.state == "active"]
    if one.name == current.name:
        # A downgrade is rolled back like any other deploy.
        went_back = bool(active) and active[-1].reason.startswith(_DOWNGRADE)
        return one.counter < current.counter or (went_back and one.digest == now.previous)
    served = [entry.release for entry in active]
    places = {release: place for place, release in reversed(list(enumerate(served)))}
    return bool(places.get(one.digest, -1) < places.get(current.digest, len(served)))


def _outcome(board: Board, outcome: str, what: Manifest, server: Server) -> dict[str, object]:
    status = server.status
    return {
        "log": board.journal.stand(),
        "state": outcome,
        "release": what.digest,
        "version": what.version,
        "name": what.name,
        "host": status.host,
        "port": status.port,
        "scheme": status.scheme,
        "fingerprint": status.fingerprint,
        "token_required": status.token_required,
        "pid": status.pid,
        "service": server.manager(),
    }
