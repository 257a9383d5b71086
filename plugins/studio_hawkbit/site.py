"""One target: a group of boards, to which releases are offered and which report on them."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from studio.api import (
    Action,
    Deployed,
    Identity,
    Measurement,
    Parcel,
    PlatformRelease,
    Preview,
    Progress,
    Refused,
    Resource,
    TakenBack,
    TargetError,
    Tunnel,
    UsageError,
)
from studio_hawkbit.address import FleetAddress
from studio_hawkbit.container import SIGNATURE, ReleaseName, description, name_of, write
from studio_hawkbit.count import FleetCount, FleetTally
from studio_hawkbit.judgement import too_many
from studio_hawkbit.options import OWN, SWUPDATE
from studio_hawkbit.orders import FleetOrder, order_to
from studio_hawkbit.server import DONE, FAILED, FleetBoard, FleetOffer, FleetServer, Software
from studio_hawkbit.swupdate import write_for_swupdate

PUBLISHED = "published"
_POLL_S = 2.0
_REST, _LONGEST_REST_S = 4.0, 30.0
"""Times as long as a look took until the next one: the boards need the server more."""


class FleetSite:
    """A session with the server, at the place of one target."""

    def __init__(self, server: FleetServer, address: FleetAddress, identity: Identity) -> None:
        self._server = server
        self._address = address
        self._identity = identity
        self._tally = FleetTally(server)

    def identity(self) -> Identity:
        return self._identity

    def preview(self, parcel: Parcel, options: Mapping[str, Any]) -> Preview:
        name = _name(parcel, options, self._order(parcel, options))
        text = description(name, str(options["hardware"]))
        return Preview(tuple(self._actions(parcel, name, options)), {"sw-description": text})

    def deploy(self, parcel: Parcel, options: Mapping[str, Any], progress: Progress) -> Deployed:
        preview = self.preview(parcel, options)
        blocked = [one for one in preview.actions if one.state == "blocked"]
        if blocked:
            raise Refused(blocked[0].text, hint=blocked[0].hint)
        order = self._order(parcel, options)
        name = _name(parcel, options, order)
        software, sent = self._software(parcel, name, options, order, progress)
        newest = _newest(self._server.rollouts())
        state = "unchanged"
        if newest is None or newest.software != software.id or newest.paused:
            progress.log(f"Offering version {name.version} to group {self._address.group}")
            title = f"{name.name} {name.text}"
            self._server.offer(software, title, float(options["most_failed"]))
            state = PUBLISHED
        tally = self._watch(name, options, progress)
        return Deployed(parcel.digest, state, "", sent, tally.facts())

    def promote(self, progress: Progress) -> Deployed:
        raise TargetError("A fleet that pulls has no canary.", hint="Use a group of its own.")

    def rollback(self, to: str | None, progress: Progress) -> Deployed:
        raise TargetError(
            "Boards that pull go back by themselves when a release fails, and otherwise by order.",
            hint='Deploy the earlier version with --set downgrade="REASON".',
        )

    def releases(self) -> Sequence[PlatformRelease]:
        known = {one.id: one.release for one in self._server.software()}
        boards, rows = self._server.boards(), []
        rollouts = self._server.rollouts()
        newest = _newest(rollouts)
        for one in reversed(rollouts):
            release = known.get(one.software)
            if release is not None:
                mine = [other for other in rollouts if other.software == one.software]
                tally = self._tally.quick(boards, release, mine)
                rows.append(_row(one, release, tally, one == newest))
        return rows

    def reach(self) -> Tunnel | None:
        return None

    def infer(self, request: bytes, head_length: int) -> tuple[bytes, int]:
        raise TargetError("Boards that pull cannot be reached through their server.")

    def measure(self) -> Measurement | None:
        current = next((one for one in self.releases() if one.state == "serving"), None)
        boards = self._server.boards()
        failed = sum(one.state == FAILED for one in boards)
        facts = {"boards": len(boards), "failed": failed}
        release = current.release if current else ""
        return Measurement(bool(current), 0, failed, 0.0, release=release, facts=facts)

    def logs(self, lines: int) -> Iterator[str]:
        found = []
        for board in self._server.boards():
            text = self._server.log(board.id).splitlines()
            found += [f"{board.id}: {line}" for line in text if line.strip()]
        return iter(found[-lines:])

    def remove(self, purge: bool, progress: Progress) -> Sequence[Resource]:
        rollouts = self._server.rollouts()
        self._server.pause(rollouts)
        if purge:
            for software in self._server.software():
                mine = [one for one in rollouts if one.software == software.id]
                if software.release is not None and mine:
                    self._server.delete(software, mine)
        return self.resources()

    def resources(self) -> Sequence[Resource]:
        known = {one.id: one.release for one in self._server.software()}
        found = []
        for one in self._server.rollouts():
            release = known.get(one.software)
            if release is not None:
                since = _instant(one.at)
                title = f"{release.name} {release.text}"
                where = self._address.group
                found.append(Resource("rollout", title, where, since, running=not one.paused))
        return found

    def close(self) -> None:
        """Nothing is open between two requests."""

    def _actions(
        self, parcel: Parcel, name: ReleaseName, options: Mapping[str, Any]
    ) -> Iterator[Action]:
        if int(options.get("canary") or 0):
            hint = "Use a group of its own for the first boards."
            yield Action("canary", "A fleet that pulls has no canary.", "blocked", hint)
        if (parcel.bundle / SIGNATURE).is_file():
            yield Action("signature", "The bundle is signed", "checked")
        else:
            hint = "Sign it: --sign KEY"
            text = "The bundle is not signed; boards take signed releases by default."
            yield Action("signature", text, "warning", hint)
        present = self._present(name)
        if present is not None:
            yield Action("artefact", "The artefact is at the server already", "skipped")
        else:
            yield Action("artefact", f"{name.file} is uploaded")
        boards = self._server.boards()
        failed = sum(one.state == FAILED for one in boards)
        text = f"The release is offered to {len(boards)} boards of group {self._address.group}"
        text += f", {failed} of which have failed before" if failed else ""
        yield Action("rollout", text, "planned" if boards else "warning")

    def _order(self, parcel: Parcel, options: Mapping[str, Any]) -> FleetOrder | None:
        key, reason = options.get("order_key"), str(options.get("downgrade") or "")
        known = self._server.software() if reason else []
        return order_to(parcel.digest, parcel.name, reason, known, Path(key) if key else None)

    def _present(self, name: ReleaseName) -> Software | None:
        return next((one for one in self._server.software() if one.release == name), None)

    def _software(
        self,
        parcel: Parcel,
        name: ReleaseName,
        options: Mapping[str, Any],
        order: FleetOrder | None,
        progress: Progress,
    ) -> tuple[Software, int]:
        """Return the artefact at the server, uploaded if it is missing, and the bytes sent."""
        present = self._present(name)
        if present is not None:
            return present, 0
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "release.swu"
            _write(parcel, file, options, order)
            size = file.stat().st_size
            number = self._server.add(file, name, progress)
        return Software(number, name, size), size

    def _watch(
        self,
        name: ReleaseName,
        options: Mapping[str, Any],
        progress: Progress,
    ) -> FleetCount:
        """Watch the boards for a while; pause the rollout when too many of them fail.

        Raises:
            TakenBack: when the share of failures is beyond the limit.
        """
        until = time.monotonic() + float(options["wait_s"])
        most = float(options["most_failed"])
        while True:
            began = time.monotonic()
            boards, tally, newest = self._look(name)
            if options["wait_s"] and newest is not None:
                self._judge(tally, _succeeded(boards, newest), newest, most)
            if time.monotonic() >= until or tally.settled:
                return tally
            progress.progress(tally.serving, tally.boards, str(tally))
            progress.check()
            took = time.monotonic() - began
            rest = min(max(_POLL_S, took * _REST), _LONGEST_REST_S)
            time.sleep(min(rest, max(0.0, until - time.monotonic())))

    def _look(self, name: ReleaseName) -> tuple[list[FleetBoard], FleetCount, FleetOffer | None]:
        """Return the boards, how far they are with a release, and the newest offer."""
        known = {one.release.text for one in self._server.software() if one.release}
        offers, boards = self._server.rollouts(), self._server.boards()
        return boards, self._tally.count(boards, name, known), _newest(offers)

    def _judge(self, tally: FleetCount, done: int, newest: FleetOffer, most: float) -> None:
        """Pause the rollout when too many boards have failed; each counts once.

        Args:
            done: Boards of which the server has counted a success.

        Raises:
            TakenBack: when they have.
        """
        failed, answered = tally.failed, tally.failed + max(tally.serving, done)
        if not too_many(failed, answered, tally.boards, most):
            return
        self._server.pause([newest])
        raise TakenBack(
            f"{failed} of {answered} boards that answered have refused the release or taken it "
            "back; the rollout is paused.",
            hint="See why: studio logs --target NAME",
        )


def _name(parcel: Parcel, options: Mapping[str, Any], order: FleetOrder | None) -> ReleaseName:
    return name_of(
        parcel, options.get("format", OWN) == SWUPDATE, order.mark if order is not None else ""
    )


def _write(
    parcel: Parcel, file: Path, options: Mapping[str, Any], order: FleetOrder | None
) -> None:
    """Write the artefact for the client of the boards."""
    hardware, back = str(options["hardware"]), order.content() if order is not None else b""
    if options.get("format", OWN) != SWUPDATE:
        write(parcel, file, hardware, back)
        return
    key, certificate = options.get("swupdate_key"), options.get("swupdate_certificate")
    if not key or not certificate:
        raise UsageError(
            "SWUpdate takes signed artefacts alone.",
            hint="Pass --set swupdate_key=FILE and --set swupdate_certificate=FILE",
        )
    root = str(options.get("board_root") or "")
    write_for_swupdate(parcel, file, hardware, back, root, (Path(key), Path(certificate)))


def _succeeded(boards: Sequence[FleetBoard], newest: FleetOffer) -> int:
    """Return the successes that the server has counted, a board at most once.

    At hawkBit a board reports its version after its success.
    """
    return min(newest.succeeded, sum(one.state == DONE for one in boards))


def _row(one: FleetOffer, release: ReleaseName, tally: FleetCount, newest: bool) -> PlatformRelease:
    serving = newest and not one.paused
    state = "serving" if serving else "failed" if newest else "replaced"
    reason = f"{one.succeeded} succeeded, {one.failed} failed" + (", paused" if one.paused else "")
    traffic = tally.share if serving else 0
    return PlatformRelease(
        release.digest, release.name, release.version, state, traffic, _instant(one.at), "", reason
    )


def _newest(rollouts: Sequence[FleetOffer]) -> FleetOffer | None:
    return rollouts[-1] if rollouts else None


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
