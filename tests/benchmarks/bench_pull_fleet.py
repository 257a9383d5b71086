"""A fleet that pulls from goosebit itself: the real client of many boards in one process.

The release machine of these boards takes note and serves nothing: so many model servers do not fit
on one computer. Its trial is the real rule over drawn answers. 5 % fail each release after their
first, 10 % sleep until the end, 2 % report a release that they do not have; half of those also
report its success. A release that is worse goes to a first group, and must be halted there.

Boards poll in rounds, in an order that is drawn anew: the next round begins when the last has
ended. With ``--folder`` the phases may be run one by one. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from studio.api import Parcel, TakenBack, TargetSpec
from studio.api.testing import Recorder
from studio_hawkbit.platform import FleetPlatform
from studio_hawkbit.site import FleetSite
from tests.rigs.pull.goosebit import PASSWORD, USER, Goosebit, install
from tests.rigs.pull.light_boards import (
    ASLEEP,
    FAILING,
    GOOD,
    LYING,
    LightFleet,
    LightInstallation,
)

OPTIONS = {"hardware": "default", "downgrade": None, "wait_s": 840.0, "most_failed": 10.0}
PHASES = ("register", "good", "worse", "sleepers", "check")
_MODEL_BYTES = 200_000


def kinds_of(count: int) -> list[str]:
    """What each board is: in an order that a seed decides."""
    shares = {FAILING: 0.05, ASLEEP: 0.10, LYING: 0.02}
    found = [kind for kind, share in shares.items() for _ in range(round(share * count))]
    found += [GOOD] * (count - len(found))
    random.Random(1).shuffle(found)
    return found


def parcel(folder: Path, version: int) -> Parcel:
    """A bundle of one file."""
    place = folder / f"bundle-{version}"
    place.mkdir(exist_ok=True)
    content = random.Random(version).randbytes(_MODEL_BYTES)
    (place / "model.onnx").write_bytes(content)
    files = {"model.onnx": {"sha256": sha256(content).hexdigest(), "bytes": len(content)}}
    raw = {
        "format": 1,
        "name": "digits",
        "version": version,
        "counter": version,
        "files": files,
        "model": {"file": "model.onnx"},
    }
    text = json.dumps(raw)
    (place / "manifest.json").write_text(text)
    return Parcel(place, place / "none.pyz", sha256(text.encode()).hexdigest(), raw)


class Scene:
    """The server, its boards in two groups, and what happened."""

    def __init__(self, folder: Path, server: Goosebit, count: int, threads: int) -> None:
        self.folder, self.server = folder, server
        self.one, self.two, self.three = (parcel(folder, version) for version in (1, 2, 3))
        first = (self.one.bundle / "manifest.json").read_bytes()
        kinds = kinds_of(count)
        self.fleet = LightFleet(folder / "boards", server.url, kinds, first, threads)
        self.report: dict[str, Any] = {}
        if self._report.exists():
            self.report = json.loads(self._report.read_bytes())
        self.report.update({"devices": count, "kinds": dict(Counter(kinds))})
        awake = self.fleet.of(GOOD, FAILING, LYING)
        self.first = awake[: max(5, len(awake) // 10)]
        self.rest = [name for name in awake if name not in self.first]
        login = folder / "login"
        login.write_text(f"{USER}:{PASSWORD}")
        login.chmod(0o600)
        self._settings = {"login": str(login), "plain": "yes"}

    @property
    def _report(self) -> Path:
        return self.folder / "report.json"

    def run(self, phase: str) -> None:
        """Run one phase, and note how long it took."""
        began, polls = time.monotonic(), self.fleet.polls
        getattr(self, phase)()
        seconds = time.monotonic() - began
        self.report[phase + "_s"] = round(seconds, 1)
        self.report[phase + "_polls"] = self.fleet.polls - polls
        errors = Counter(self.report.get("errors", {})) + self.fleet.errors
        self.report["errors"], self.fleet.errors = dict(errors), Counter()
        self._report.write_text(json.dumps(self.report))
        print(f"{phase}: {seconds:.0f} s", file=sys.stderr, flush=True)

    def site(self, group: str) -> FleetSite:
        """The target of one group."""
        url = f"goosebit://127.0.0.1:{self.server.port}/DEFAULT/{group}"
        return FleetPlatform().open(TargetSpec(group, url, "", self._settings), Recorder())

    def register(self) -> None:
        """All awake boards report their facts; the first group is made."""
        # Two boards at the same first moment make goosebit 0.2.12 note their hardware twice, and
        # every later request on it fails.
        self.fleet.poll(self.first[:1])
        self.fleet.poll([*self.first[1:], *self.rest])
        wish = {"devices": self.first, "feed": "first"}
        self.server.call("PATCH", "/api/v1/devices", wish)

    def good(self) -> None:
        """A release that is as good as the one before goes to both groups, under the rule."""
        for group, boards in (("first", self.first), ("default", self.rest)):
            self.report[f"good_{group}"] = self._publish(self.two, group, boards)

    def worse(self) -> None:
        """A worse release goes to the first group alone, and is paused there."""
        LightInstallation.worse = {self.three.version}
        found = self._publish(self.three, "first", self.first)
        self.fleet.poll(self.rest[:100])
        reached = {one for one in self.fleet.names if self._tried(one, self.three)}
        found.update(
            boards_that_tried_it=len(reached),
            outside_the_first_group=len(reached - set(self.first)),
            serving_it=sum(self.fleet.current(one) == self.three.digest for one in reached),
            back_at_the_good_one=sum(self.fleet.current(one) == self.two.digest for one in reached),
        )
        self.report["worse"] = found

    def sleepers(self) -> None:
        """The boards that slept wake up, and get what is offered."""
        asleep = self.fleet.of(ASLEEP)
        self.fleet.poll(asleep)  # they register
        self.report["sleepers"] = self._publish(self.two, "default", asleep)

    def check(self) -> None:
        """Nothing is half-done on any board."""
        known = (self.one.digest, self.two.digest)
        self.report["half_done"] = self.fleet.half_done(known)
        served = Counter(
            f"{self.fleet.kinds[one]}: release {known.index(self.fleet.current(one)) + 1}"
            for one in self.fleet.names
        )
        self.report["served"] = dict(sorted(served.items()))
        states = Counter(row["last_state"] for row in self.server.devices().values())
        self.report["states_at_server"] = dict(states)

    def _publish(self, release: Parcel, group: str, boards: list[str]) -> dict[str, Any]:
        """Deploy under the rule while the boards poll; return what the studio has said of it."""
        honest = [one for one in boards if self.fleet.kinds[one] != LYING]
        began, found = time.monotonic(), dict[str, Any]()

        def publish() -> None:
            try:
                facts = dict(self.site(group).deploy(release, OPTIONS, Recorder()).facts)
                reasons = Counter[str](facts.pop("why", {}).values())
                found.update(facts, reasons=dict(reasons))
            except TakenBack as error:
                found["halted"] = str(error)

        waiter = threading.Thread(target=publish)
        waiter.start()
        while waiter.is_alive() and not self._offered(release):
            time.sleep(0.2)
        self._lie(boards, release)
        while waiter.is_alive():
            self.fleet.poll(honest)
        serving = sum(self.fleet.current(one) == release.digest for one in honest)
        seconds = round(time.monotonic() - began, 1)
        return {
            "honest_boards": len(honest),
            "serving_at_the_boards": serving,
            "s": seconds,
            **found,
        }

    def _offered(self, release: Parcel) -> bool:
        rows = self.server.call("GET", "/api/v1/rollouts")["rollouts"]
        return any(release.digest in str(row["software"]["name"]) for row in rows)

    def _lie(self, boards: list[str], release: Parcel) -> None:
        liars = [one for one in boards if self.fleet.kinds[one] == LYING]
        for number, name in enumerate(liars):
            success = number % 2 == 1
            self.fleet.lie(name, release.version, release.version, release.digest, success)

    def _tried(self, name: str, release: Parcel) -> bool:
        path = self.folder / "boards" / name / "state.json"
        return release.digest in path.read_text()


def run(
    count: int, threads: int, rigs: Path, folder: Path, phases: Sequence[str]
) -> dict[str, Any]:
    """Run phases in their order."""
    python = install(rigs)
    with Goosebit(python, folder / "goosebit", "00:00:01") as server:
        scene = Scene(folder, server, count, threads)
        with scene.fleet:
            for phase in phases:
                scene.run(phase)
    return scene.report


def main() -> int:
    """Run it and print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=100)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--rigs", type=Path, default=Path.home() / ".cache" / "edgewright-rigs")
    parser.add_argument("--folder", type=Path, help="kept, so that later phases may follow")
    parser.add_argument("--phases", nargs="+", choices=PHASES, default=PHASES)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as text:
        folder = given.folder or Path(text)
        folder.mkdir(parents=True, exist_ok=True)
        print(
            json.dumps(
                run(given.devices, given.threads, given.rigs, folder, given.phases), indent=1
            )
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
