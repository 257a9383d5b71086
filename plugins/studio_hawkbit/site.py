"""One target: a group of boards, to which releases are offered and which report on them."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
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
)
from studio_hawkbit.address import FleetAddress
from studio_hawkbit.container import SIGNATURE, ReleaseName, description, name_of, write
from studio_hawkbit.server import DONE, FAILED, FleetBoard, FleetOffer, FleetServer, Software

PUBLISHED = "published"
_POLL_S = 2.0


@dataclass(frozen=True, slots=True)
class FleetCount:
    """How far the boards of a group are with a release.

    Attributes:
        serving: Boards that report it and whose action succeeded.
        failed: Boards that report that it failed.
        lying: Boards that report it, though they never reported its installation.
    """

    boards: int
    serving: int
    failed: int
    lying: tuple[str, ...] = ()

    @property
    def share(self) -> int:
        """Percent of the boards that serve it."""
        return 100 * self.serving // self.boards if self.boards else 0

    def __str__(self) -> str:
        return f"{self.serving} of {self.boards} boards serve it, {self.failed} have failed"


class FleetSite:
    """A session with the server, at the place of one target."""

    def __init__(self, server: FleetServer, address: FleetAddress, identity: Identity) -> None:
        self._server = server
        self._address = address
        self._identity = identity

    def identity(self) -> Identity:
        return self._identity

    def preview(self, parcel: Parcel, options: Mapping[str, Any]) -> Preview:
        name = name_of(parcel)
        text = description(name, str(options["hardware"]))
        return Preview(tuple(self._actions(parcel, name, options)), {"sw-description": text})

    def deploy(self, parcel: Parcel, options: Mapping[str, Any], progress: Progress) -> Deployed:
        preview = self.preview(parcel, options)
        blocked = [one for one in preview.actions if one.state == "blocked"]
        if blocked:
            raise Refused(blocked[0].text, hint=blocked[0].hint)
        name = name_of(parcel)
        software, sent = self._software(parcel, name, options, progress)
        newest = _newest(self._server.rollouts())
        state = "unchanged"
        if newest is None or newest.software != software.id or newest.paused:
            progress.log(f"Offering version {name.version} to group {self._address.group}")
            title = f"{name.name} {name.text}"
            self._server.offer(software, title, float(options["most_failed"]))
            state = PUBLISHED
        tally = self._watch(software, name, options, progress)
        facts = {"boards": tally.boards, "serving": tally.serving, "failed": tally.failed}
        facts["not_believed"] = len(tally.lying)
        return Deployed(parcel.digest, state, "", sent, facts)

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
                tally = self._tally(boards, release, mine)
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

    def _present(self, name: ReleaseName) -> Software | None:
        return next((one for one in self._server.software() if one.release == name), None)

    def _software(
        self, parcel: Parcel, name: ReleaseName, options: Mapping[str, Any], progress: Progress
    ) -> tuple[Software, int]:
        """Return the artefact at the server, uploaded if it is missing, and the bytes sent."""
        present = self._present(name)
        if present is not None:
            return present, 0
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "release.swu"
            write(parcel, file, str(options["hardware"]), str(options.get("downgrade") or ""))
            size = file.stat().st_size
            number = self._server.add(file, name, progress)
        return Software(number, name, size), size

    def _watch(
        self,
        software: Software,
        name: ReleaseName,
        options: Mapping[str, Any],
        progress: Progress,
    ) -> FleetCount:
        """Watch the boards for a while; pause the rollout when too many of them fail.

        Raises:
            TakenBack: when the share of failures is beyond the limit.
        """
        until = time.monotonic() + float(options["wait_s"])
        while True:
            rollouts = self._server.rollouts()
            mine = [one for one in rollouts if one.software == software.id]
            tally = self._tally(self._server.boards(), name, mine)
            newest = _newest(rollouts)
            failed = newest.failed if newest else 0
            answered = failed + (newest.succeeded if newest else 0)
            if options["wait_s"] and answered:
                self._judge(failed, answered, float(options["most_failed"]), newest)
            if time.monotonic() >= until or tally.serving + tally.failed >= tally.boards > 0:
                return tally
            progress.progress(tally.serving, tally.boards, str(tally))
            progress.check()
            time.sleep(_POLL_S)

    def _tally(
        self, boards: Sequence[FleetBoard], release: ReleaseName, rollouts: Sequence[FleetOffer]
    ) -> FleetCount:
        """Return how far the boards are with a release.

        Args:
            rollouts: Offers of this release.
        """
        reporting = [one for one in boards if one.version == release.text]
        done = [one for one in reporting if one.state == DONE]
        if len(done) > sum(one.succeeded for one in rollouts):
            # More report it than have reported success: each is looked at.
            done = [one for one in done if self._server.confirms(one, release)]
        known = {one.id for one in done}
        lying = tuple(one.id for one in reporting if one.id not in known)
        failed = sum(one.state == FAILED for one in boards)
        return FleetCount(len(boards), len(done), failed, lying)

    def _judge(self, failed: int, answered: int, most: float, newest: FleetOffer | None) -> None:
        if not failed or 100.0 * failed / answered <= most or newest is None:
            return
        self._server.pause([newest])
        raise TakenBack(
            f"{failed} of {answered} boards that answered have refused the release or taken it "
            "back; the rollout is paused.",
            hint="See why: studio logs --target NAME",
        )


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
