"""Two studios that change the same rows at the same time, are killed, or lose their server."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from studio.registry import Registry
from studio.registry.servers.address import SharedAddress, use
from studio.registry.servers.transfer import RegistrySide
from tests.integration.registry import racer
from tests.rigs.postgres import PostgresServer

RACES = 100
KILLS = 100
Open = Callable[..., Registry]


class Racers:
    """Studios in processes of their own, on one registry."""

    def __init__(self, folder: Path, address: SharedAddress, driver: Path) -> None:
        self._folder = folder
        self._address = address
        self._path = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(driver))))

    def start(self, name: str, rounds: int, start: float = 0.0) -> subprocess.Popen[bytes]:
        """Start a studio."""
        home = self._folder / name / "registry"
        use(home, self._address)
        words = [sys.executable, racer.__file__, str(home), name, str(rounds), str(start)]
        with (home.parent / "errors").open("ab") as errors:
            environment = {**os.environ, "PYTHONPATH": self._path}
            return subprocess.Popen(words, env=environment, stderr=errors)

    def saved(self, name: str) -> dict[str, tuple[float, float]]:
        """Return what a studio knows as saved, with its begin and end."""
        path = self._folder / name / "saved"
        lines = path.read_text().splitlines() if path.exists() else []
        rows = (line.split() for line in lines)
        return {row[0]: (float(row[1]), float(row[2])) for row in rows}

    def errors(self, name: str) -> str:
        """Return what a studio wrote on standard error."""
        return (self._folder / name / "errors").read_text()


@pytest.fixture
def racers(tmp_path: Path, address: SharedAddress, driver_folder: Path) -> Racers:
    """Studios on one new registry."""
    return Racers(tmp_path, address, driver_folder)


def faults(registry: Registry) -> list[str]:
    """Return what does not fit together in the registry of some racers."""
    found = []
    numbers = sorted(one.number for one in registry.versions())
    if numbers != list(range(1, len(numbers) + 1)):
        found.append(f"version numbers {numbers}")
    names = [one.name for one in registry.variants()]
    if len(names) != len(set(names)):
        found.append("two variants have one name")
    model = registry.models()[0].id
    moves = registry.ledger.moves(model, "prod")[::-1]
    befores = [None, *(move.version for move in moves[:-1])]
    if [move.before for move in moves] != befores:
        found.append("a move does not follow the one before it")
    if registry.ledger.aliases(model)[0].version != moves[-1].version:
        found.append("the alias is not where the last move put it")
    times = [one.created for one in registry.releases("board")][::-1]
    if any(first >= second for first, second in itertools.pairwise(times)):
        found.append("two releases have one time")
    for variant in registry.variants():
        registry.fetch(variant.path)
    for version in registry.versions():
        registry.fetch(version.path)
    return found


def test_a_hundred_races_lose_nothing(racers: Racers, open_shared: Open) -> None:
    start = time.time() + 4.0
    both = [racers.start(name, RACES, start) for name in ("anna", "ben")]
    assert [one.wait(300) for one in both] == [0, 0]
    anna, ben = racers.saved("anna"), racers.saved("ben")
    assert (len(anna), len(ben)) == (RACES, RACES), racers.errors("anna") + racers.errors("ben")
    pairs = [(anna[f"anna-{n}"], ben[f"ben-{n}"]) for n in range(RACES)]
    together = sum(a[0] < b[1] and b[0] < a[1] for a, b in pairs)
    print(f"races in which both changed at the same time: {together} of {RACES}")
    registry = open_shared()
    assert faults(registry) == []
    assert len(registry.versions()) == 2 * RACES
    assert len(registry.releases("board")) == 2 * RACES
    groups = registry.groups.all()
    assert (len(groups["anna"]), len(groups["ben"])) == (RACES, RACES)
    assert together > 0


def test_a_hundred_kills_lose_nothing(racers: Racers, open_shared: Open) -> None:
    dice = random.Random(24)
    open_shared("first")
    other = racers.start("ben", 10_000)
    killed = 0
    try:
        while killed < KILLS:
            victim = racers.start("anna", 10_000)
            before = len(racers.saved("anna"))
            while len(racers.saved("anna")) == before and victim.poll() is None:
                time.sleep(0.01)  # it has begun to change something
            time.sleep(dice.random() * 0.05)
            victim.kill()
            killed += victim.wait(30) == -9
    finally:
        other.kill()
        other.wait(30)
    registry = open_shared("last")
    assert faults(registry) == []
    for name in ("anna", "ben"):
        stored = {one.digest for one in registry.versions() if one.digest.startswith(name)}
        assert set(racers.saved(name)) <= stored
        released = {one.digest for one in registry.releases("board")}
        assert set(racers.saved(name)) <= released
    print(f"kills: {killed}; saved: {len(racers.saved('anna'))} and {len(racers.saved('ben'))}")
    # Ben was never stopped by a lock that a killed studio left.
    assert racers.errors("ben") == ""


def test_a_server_that_is_killed_and_restarted_loses_nothing(
    racers: Racers, open_shared: Open, postgres: PostgresServer
) -> None:
    open_shared("first")
    studio = racers.start("anna", 10_000)
    try:
        for _restart in range(5):
            before = len(racers.saved("anna"))
            while len(racers.saved("anna")) < before + 5:
                assert studio.poll() is None, racers.errors("anna")
                time.sleep(0.02)
            postgres.stop(at_once=True)
            postgres.start()
    finally:
        studio.kill()
        studio.wait(30)
    registry = open_shared("last")
    assert faults(registry) == []
    stored = {one.digest for one in registry.versions()}
    assert set(racers.saved("anna")) <= stored


def test_both_studios_read_the_same(racers: Racers, open_shared: Open) -> None:
    assert racers.start("anna", 3).wait(60) == 0
    first, second = open_shared(), open_shared()
    assert first.versions()[0].digest == second.versions()[0].digest
    assert first.versions()[0].path != second.versions()[0].path
    side = RegistrySide.of_server(first.shared) if first.shared else None
    assert side is not None
    assert not side.is_empty
