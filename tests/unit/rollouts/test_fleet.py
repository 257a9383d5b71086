"""Rollouts to many boards: they halt as told, can be resumed, and leave nothing half-done."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from studio.api import UsageError
from studio.packages.bundle import Bundle
from studio.rollouts.rollout_state import RolloutState, ledgers, unfinished
from studio.workspace import Workspace
from tests.rigs.boards import until
from tests.rigs.bundles import make_bundle
from tests.rigs.fleet.driver import SimulatedFleet, agree, place_plugin

pytestmark = pytest.mark.slow

COUNT = 12


class Fleet:
    """Simulated boards, a studio that knows them, and two bundles."""

    def __init__(self, home: Path, folder: Path) -> None:
        place_plugin(home)
        self.home = home
        self.boards = SimulatedFleet(folder / "boards", COUNT)
        self.first = make_bundle(folder / "bundles", 1)
        self.second = make_bundle(folder / "bundles", 2)
        self.bundles = {one.digest: one for one in (self.first, self.second)}

    def roll_out(self, bundle: Bundle | None, **options: Any) -> dict[str, Any]:
        """Through the workspace, as a click does it."""
        with Workspace.open() as opened:
            if bundle is not None:
                options = {"bundle": str(bundle.folder), "target": ["@all"], **options}
                # A busy machine is no slow board: only the test of latencies looks at them closely.
            options = {"requests": 4, "soak_s": 2, "max_latency_ratio": 100, **options}
            outcome = opened.run("rollout", **options)
            assert outcome.ok, outcome.sentence
            return outcome.document

    def command(self, *words: str) -> list[str]:
        """The command line of this studio."""
        return [sys.executable, "-m", "studio.cli.main", *words]

    def serving(self, bundle: Bundle) -> list[str]:
        """The boards that serve it."""
        return [name for name, digest in self.boards.serving().items() if digest == bundle.digest]


@pytest.fixture
def fleet(studio_home: Path, tmp_path: Path) -> Iterator[Fleet]:
    made = Fleet(studio_home, tmp_path)
    with made.boards:
        made.boards.start()
        with Workspace.open() as opened:
            agree(opened)
            made.boards.introduce(opened)
        result = made.roll_out(made.first, strategy="all", parallel=8)
        assert (result["state"], result["kept"]) == ("done", COUNT)
        yield made


def states(result: dict[str, Any], names: Sequence[str]) -> list[str]:
    found = {row["target"]: row["state"] for row in result["targets"]}
    return [found[name] for name in names]


def test_waves_halt_at_the_threshold_and_are_resumed(fleet: Fleet) -> None:
    names = fleet.boards.names
    fleet.boards.start({"b003": "silent", "b004": "probe", "b009": "serving"})
    result = fleet.roll_out(fleet.second, strategy="waves", wave_size=5, parallel=2, max_failures=1)
    assert result["state"] == "halted"
    assert states(result, ["b003", "b004"]) == ["failed", "failed"]
    assert states(result, names[6:]) == ["not begun"] * 6
    assert result["kept"] == len(fleet.serving(fleet.second)) < 6
    assert fleet.serving(fleet.first) == [n for n in names if n not in fleet.serving(fleet.second)]
    fleet.boards.check(fleet.bundles)

    with Workspace.open() as opened:
        with pytest.raises(UsageError, match="Tolerated failures is 1, not 3"):
            opened.run("rollout", resume="last", max_failures=3)
        with pytest.raises(UsageError, match="Trial rule is none, not min"):
            opened.run("rollout", resume="last", trial_rule=["min_agreement=0.9"])

    # Still broken, and three tolerated: the rest gets it, and the ninth is taken back.
    fleet.boards.start({"b003": "silent", "b009": "serving"})
    result = fleet.roll_out(None, resume="last")
    assert states(result, ["b003", "b004", "b009"]) == ["failed", "kept", "taken back"]
    fleet.boards.check(fleet.bundles)

    fleet.boards.start()
    result = fleet.roll_out(None, resume=result["rollout"])
    assert (result["state"], result["kept"]) == ("done", COUNT)
    assert fleet.serving(fleet.second) == names
    fleet.boards.check(fleet.bundles)
    with Workspace.open() as opened:
        with pytest.raises(UsageError, match="is done"):
            opened.run("rollout", resume="last")
        assert [r.state for r in opened.registry.releases("b009")] == [
            *("serving", "serving", "rolled back", "serving", "serving")
        ]


def test_a_slow_release_is_taken_back_by_its_latency(fleet: Fleet) -> None:
    fleet.boards.start({"b001": "slow"})
    result = fleet.roll_out(fleet.second, strategy="all", max_failures=COUNT, max_latency_ratio=5)
    assert result["state"] == "done"
    (row,) = [one for one in result["targets"] if one["target"] == "b001"]
    assert (row["state"], row["served"]) == ("taken back", fleet.first.digest)
    assert "× the previous release" in row["text"]
    fleet.boards.check(fleet.bundles)


def test_answers_that_differ_are_told_and_refused_when_asked_for(fleet: Fleet) -> None:
    # Simulated answers follow the digest, so two releases differ in all of them or in none.
    result = fleet.roll_out(fleet.second, target=["b000"])
    assert result["targets"][0]["agreement"] in (0.0, 1.0)
    differs = result["targets"][0]["agreement"] == 0.0
    result = fleet.roll_out(fleet.second, target=["b001"], min_agreement=0.5)
    assert result["state"] == ("halted" if differs else "done")
    assert "of the results agree with the previous release" in result["targets"][0]["text"]
    fleet.boards.check(fleet.bundles)


def test_a_studio_that_is_killed_is_resumed_where_it_was(fleet: Fleet) -> None:
    words = ["--bundle", str(fleet.second.folder), "--target", "@all", "--strategy", "waves"]
    words += ["--wave-size", "3", "--parallel", "2", "--requests", "4", "--soak-s", "2"]
    words += ["--max-latency-ratio", "100"]
    studio = subprocess.Popen(
        fleet.command("rollout", *words),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    place = fleet.home / "data" / "rollouts"

    def kept() -> int:
        if len(ledgers(place)) < 2:  # the first one gave the boards the old release
            return 0
        try:
            rows = RolloutState.find(place, "last").read().rows.values()
        except UsageError:  # its ledger has no first line yet
            return 0
        return sum(row.state == "kept" for row in rows)

    until(lambda: kept() >= 3, "three boards have it", 60)
    assert unfinished(place) == ""
    with Workspace.open() as opened:
        assert "is still running" in opened.run("rollout", resume="last").sentence
    os.killpg(studio.pid, signal.SIGKILL)
    studio.wait()
    until(lambda: unfinished(place) != "", "its worker has ended, too", 20)
    standing = RolloutState.find(place, "last").read()
    assert standing.state == "open"
    before = {n for n, row in standing.rows.items() if row.state == "kept"}
    assert 3 <= len(before) < COUNT

    done = subprocess.run(
        fleet.command("rollout", "--resume", "last", "--json"),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["state"], result["kept"]) == ("done", COUNT)
    assert fleet.serving(fleet.second) == fleet.boards.names
    fleet.boards.check(fleet.bundles)
    with Workspace.open() as opened:
        for name in fleet.boards.names:
            newest = opened.registry.releases(name)[0]
            assert (newest.digest, newest.state) == (fleet.second.digest, "serving"), name


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"resume": "last"}, "No rollout to resume"),
        ({"resume": "x"}, "Unknown rollout 'x'"),
        ({"resume": "last", "target": ["local"]}, "has its model and targets already"),
        ({"bundle": "."}, "Missing targets"),
    ],
)
def test_what_cannot_be_begun_says_so(
    studio_home: Path, options: dict[str, Any], told: str
) -> None:
    with Workspace.open() as opened, pytest.raises(UsageError, match=told):
        opened.run("rollout", **options)
