"""A fleet that pulls from goosebit itself: the real client of many boards in one process.

The release machine of these boards takes note and serves nothing. 5 % fail each release after
their first, 10 % sleep until the end, 2 % report a release that they do not have. A release that
every board finds worse goes to a first group, and must be halted there. Prints one JSON document.
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

OPTIONS = {"hardware": "default", "downgrade": None, "wait_s": 0.0, "most_failed": 20.0}
_MODEL_BYTES = 200_000
_PATIENCE_S = 600.0


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
    place.mkdir()
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
        self.fleet = LightFleet(folder / "boards", server.url, kinds_of(count), threads)
        self.report: dict[str, Any] = {"devices": count, "kinds": dict(Counter(kinds_of(count)))}
        awake = self.fleet.of(GOOD, FAILING, LYING)
        self.first = awake[: max(5, len(awake) // 10)]
        self.rest = [name for name in awake if name not in self.first]
        login = folder / "login"
        login.write_text(f"{USER}:{PASSWORD}")
        login.chmod(0o600)
        self._settings = {"login": str(login), "plain": "yes"}

    def site(self, group: str) -> FleetSite:
        """The target of one group."""
        url = f"goosebit://127.0.0.1:{self.server.port}/DEFAULT/{group}"
        return FleetPlatform().open(TargetSpec(group, url, "", self._settings), Recorder())

    def timed(self, name: str, began: float) -> None:
        """Note how long a part took."""
        self.report[name + "_s"] = round(time.monotonic() - began, 1)

    def register(self) -> None:
        """All awake boards report their facts; the first group is made."""
        began = time.monotonic()
        # Two boards at the same first moment make goosebit 0.2.12 note their hardware twice, and
        # every later request on it fails.
        self.fleet.poll(self.first[:1])
        self.fleet.poll([*self.first, *self.rest])
        self.timed("register", began)
        wish = {"devices": self.first, "feed": "first"}
        self.server.call("PATCH", "/api/v1/devices", wish)

    def converge(self, name: str, release: Parcel, group: str, boards: list[str]) -> None:
        """Publish a release and poll until each board has it, or has failed."""
        began = time.monotonic()
        self.site(group).deploy(release, OPTIONS, Recorder())
        settled = [one for one in boards if self.fleet.kinds[one] != LYING]

        def done() -> bool:
            states = self.server.devices()
            return all(states[one]["last_state"] in ("Finished", "Error") for one in settled)

        self.fleet.poll(settled)
        reached = self.fleet.poll_until(settled, done, _PATIENCE_S)
        self.timed(name, began)
        serving = sum(self.fleet.current(one) == release.digest for one in settled)
        self.report[name] = {"boards": len(settled), "serving": serving, "all_answered": reached}

    def halt(self, release: Parcel) -> None:
        """A worse release goes to the first group alone, and is paused there."""
        LightInstallation.worse = {release.version}
        began, found = time.monotonic(), []

        def publish() -> None:
            try:
                self.site("first").deploy(release, {**OPTIONS, "wait_s": 300.0}, Recorder())
            except TakenBack as error:
                found.append(str(error))

        waiter = threading.Thread(target=publish)
        waiter.start()
        while waiter.is_alive():
            self.fleet.poll(self.first)
            self.fleet.poll(self.rest[:20])
        waiter.join()
        self.timed("halt", began)
        reached = [one for one in self.fleet.names if self._history(one, release)]
        self.report["halt"] = {
            "sentence": found,
            "boards_that_tried_it": len(reached),
            "outside_the_first_group": len(set(reached) - set(self.first)),
            "serving_it": sum(self.fleet.current(one) == release.digest for one in reached),
        }

    def _history(self, name: str, release: Parcel) -> bool:
        path = self.folder / "boards" / name / "state.json"
        return path.exists() and release.digest in path.read_text()


def run(count: int, threads: int, cache: Path) -> dict[str, Any]:
    """All parts in their order."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        python = install(cache)
        with Goosebit(python, folder / "goosebit", "00:00:01") as server:
            scene = Scene(folder, server, count, threads)
            one, two, three = (parcel(folder, version) for version in (1, 2, 3))
            with scene.fleet as fleet:
                scene.register()
                scene.converge("first_release", one, "first", scene.first)
                scene.converge("first_release_rest", one, "default", scene.rest)
                scene.halt(two)
                for name in fleet.of(LYING):
                    fleet.lie(name, 3, 3, three.digest)
                scene.converge("second_release", three, "first", scene.first)
                scene.converge("second_release_rest", three, "default", scene.rest)
                asleep = fleet.of(ASLEEP)
                fleet.poll(asleep)
                scene.converge("sleepers", three, "default", asleep)
                rows = [scene.site(group).deploy(three, OPTIONS, Recorder()).facts
                        for group in ("first", "default")]  # fmt: skip
                scene.report["believed"] = sum(row["serving"] for row in rows)
                scene.report["not_believed"] = sum(row["not_believed"] for row in rows)
                known = (one.digest, three.digest)
                scene.report["half_done"] = fleet.half_done(known)
                scene.report["polls"] = fleet.polls
                scene.report["errors"] = dict(fleet.errors)
                states = Counter(row["last_state"] for row in server.devices().values())
                scene.report["states_at_server"] = dict(states)
    return scene.report


def main() -> int:
    """Run it and print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devices", type=int, default=100)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--rigs", type=Path, default=Path.home() / ".cache" / "edgewright-rigs")
    given = parser.parse_args()
    print(json.dumps(run(given.devices, given.threads, given.rigs), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
