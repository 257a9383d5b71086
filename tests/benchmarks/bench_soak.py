"""Quality soaks beside a real server: how often a good version is kept, and a worse one taken back.

Prints one JSON document. Each trial switches a live server, under load, from one version to
another and lets the rule decide. Good versions are the same net with weights changed by .2 % at
random; worse ones give 10 % wrong labels, or take 30 to 40 % longer.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from studio.runtime.release.server.server_control import Server
from studio.runtime.release.trial.decision import TrialDecision, rule_of
from studio.runtime.release.trial.soak import ReleaseTrial
from studio.runtime.shared.errors import ReleaseError
from studio.runtime.shared.files import point
from tests.rigs import trials
from tests.unit.runtime.release.machine import Machine, machine

_VERSIONS = 6
_READY_S = 60.0


class Campaign:
    """A server that goes from version to version.

    Attributes:
        failures: What clients were refused.
    """

    def __init__(self, board: Machine, soak_s: float) -> None:
        self._board = board
        self._server = Server(board.layout)
        self._quality = TrialDecision(rule_of({}))
        self._soak_s = soak_s
        self.answers = 0
        self.failures: list[str] = []

    def stage(self, folder: Path, version: int, **how: Any) -> str:
        """Put a version on the board, unserved; its digest."""
        bundle = trials.make_bundle(folder / str(version), version, **how)
        self._board.ready(bundle)
        self._board.ok("end")
        self._board.token = ""
        return bundle.digest

    def serve(self, digest: str) -> None:
        """Let the server load it, as a switch does."""
        layout = self._board.layout
        point(layout.current, "releases/" + digest)
        stamp = self._server.stamp()
        self._server.reload()
        self._server.wait_for(digest, stamp, _READY_S)

    def trial(self, before: str, after: str) -> tuple[str, float, Any]:
        """Serve one after the other under load; the decision, its seconds and the evidence."""
        with trials.Clients(int(self._server.report()["port"])) as clients:
            clients.more(10)
            soak = ReleaseTrial(self._server, self._board.layout, after, before)
            self.serve(after)
            began = time.monotonic()
            try:
                found = soak.run(self._quality, self._soak_s)
            except ReleaseError as error:
                found = json.loads(error.detail or "{}")
            spent = time.monotonic() - began
            clients.more(10)
        self.answers += clients.answers
        self.failures += clients.failures
        return str(found.get("decision")), spent, found.get("tests")


def good_ones(campaign: Campaign, digests: list[str], count: int) -> dict[str, Any]:
    """From one good version to another, again and again."""
    decisions: dict[str, int] = {}
    seconds, against = [], []
    for number in range(count):
        before, after = digests[number % len(digests)], digests[(number + 1) % len(digests)]
        decision, spent, tests = campaign.trial(before, after)
        decisions[decision] = decisions.get(decision, 0) + 1
        seconds.append(spent)
        if decision != "kept":
            against.append(tests)
    kept = decisions.get("kept", 0)
    return {
        "trials": count,
        "decisions": decisions,
        "seconds": {"median": round(statistics.median(seconds), 2), "most": round(max(seconds), 2)},
        "not_kept": against[:5],
        "goal": "met" if kept >= 0.95 * count else "missed",
    }


def bad_ones(campaign: Campaign, good: str, bad: str, count: int) -> dict[str, Any]:
    """From a good version to a worse one, and back."""
    taken, seconds, why = 0, [], []
    for _ in range(count):
        decision, spent, tests = campaign.trial(good, bad)
        taken += decision == "taken back"
        seconds.append(spent)
        why += [one["test"] for one in tests or () if one["says"] == "bad"]
        campaign.serve(good)
    return {
        "trials": count,
        "taken_back": taken,
        "seconds": round(statistics.median(seconds), 2),
        "by": {name: why.count(name) for name in sorted(set(why))},
        "goal": "met" if taken == count else "missed",
    }


def main() -> int:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--bad", type=int, default=10, help="trials of each worse version")
    parser.add_argument("--soak-s", type=float, default=60.0)
    given = parser.parse_args()
    document: dict[str, Any] = {"name": "soak"}
    with tempfile.TemporaryDirectory() as name, machine(Path(name) / "root") as board:
        folder = Path(name)
        first = trials.make_bundle(folder / "1", 1)
        board.deploy(first)
        campaign = Campaign(board, given.soak_s)
        good = [first.digest] + [
            campaign.stage(folder, n, jitter=0.002, seed=n) for n in range(2, 2 + _VERSIONS)
        ]
        document["equally good"] = good_ones(campaign, good, given.trials)
        campaign.serve(first.digest)
        for version, (title, how) in enumerate(
            (("10 % wrong labels", {"wrong": 0.1}), ("slower", {"blocks": trials.A_THIRD_SLOWER})),
            20,
        ):
            digest = campaign.stage(folder, version, **how)
            document[title] = bad_ones(campaign, first.digest, digest, given.bad)
        document["requests"] = {"answered": campaign.answers, "failed": len(campaign.failures)}
    document["load"] = os.getloadavg()[0]
    print(json.dumps(document, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
