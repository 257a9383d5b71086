"""Two studios that change the same rows at the same time, are killed, or lose their server."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from studio.registry import Registry
from studio.registry.servers.address import SharedAddress
from studio.registry.servers.transfer import RegistrySide
from tests.integration.registry.racer import STEPS
from tests.integration.registry.racing import RacingStudio, faults, fetch_all, listen, lost
from tests.rigs.postgres import PostgresServer

RACES = 100
KILLS = 100
STEP_S = 0.02
"""The time of a step where the machine is not busy; a longer one would seldom be hit."""

DAY_S = 86_400
Open = Callable[..., Registry]
Start = Callable[..., RacingStudio]


@pytest.fixture
def racer(tmp_path: Path, address: SharedAddress, driver_folder: Path) -> Iterator[Start]:
    """Start studios on one new registry."""
    started: list[RacingStudio] = []
    path = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(driver_folder))))

    def call(name: str, **environment: str) -> RacingStudio:
        studio = RacingStudio(tmp_path, name, address, {"PYTHONPATH": path, **environment})
        started.append(studio)
        studio.start()
        return studio

    yield call
    for studio in started:
        studio.close()


def race(studios: tuple[RacingStudio, RacingStudio], races: int) -> int:
    """Let two studios begin their changes together; return how often they did both at a time."""
    for number in range(races):
        for studio in studios:
            studio.order(rounds=1)
        for studio in studios:
            studio.finish(number + 1)
    first, second = (list(one.saved.values()) for one in studios)
    return sum(a[0] < b[1] and b[0] < a[1] for a, b in zip(first, second, strict=True))


def test_a_hundred_races_lose_nothing(racer: Start, open_shared: Open) -> None:
    registry = open_shared()
    anna, ben = racer("anna"), racer("ben")
    together = race((anna, ben), RACES)
    print(f"races in which both changed at the same time: {together} of {RACES}")
    assert anna.failures + ben.failures == []
    assert (len(anna.saved), len(ben.saved)) == (RACES, RACES)
    assert faults(registry) == []
    assert lost(registry, anna) + lost(registry, ben) == []
    assert len(registry.versions()) == 2 * RACES
    assert len(registry.releases("board")) == 2 * RACES
    fetch_all(registry, set())
    assert together > RACES / 2


def test_a_hundred_kills_lose_nothing(racer: Start, open_shared: Open) -> None:
    """Each of two studios is killed 50 times while both change; all is looked at after each."""
    dice, steps, known = random.Random(24), Counter[str](), set[str]()
    registry = open_shared()
    studios = racer("anna"), racer("ben")
    for studio in studios:
        studio.order()
        studio.finish(3)
    for number in range(KILLS):
        victim = studios[number % 2]
        victim.await_step(dice.choice(STEPS))
        listen(studios, dice.random() * STEP_S)
        steps[victim.kill()] += 1
        assert faults(registry) == []
        assert [word for one in studios for word in lost(registry, one)] == []
        fetch_all(registry, known)
        victim.start()
        victim.order()
    print(f"kills: {steps.total()}, by step: {dict(steps)}")
    print(f"saved: {[len(one.saved) for one in studios]}")
    # A studio is never stopped by a lock that a killed one has left.
    assert [word for one in studios for word in one.failures] == []
    assert steps.total() - steps[""] > KILLS / 2
    assert set(STEPS) <= set(steps)


def test_a_server_that_is_killed_and_restarted_loses_nothing(
    racer: Start, open_shared: Open, postgres: PostgresServer
) -> None:
    registry = open_shared()
    studio = racer("anna")
    studio.order()
    for restart in range(5):
        studio.finish(5 * (restart + 1) + len(studio.failures))
        postgres.stop(at_once=True)
        postgres.start()
    studio.finish(30)
    studio.kill()
    assert faults(registry) == []
    assert lost(registry, studio) == []
    fetch_all(registry, set())


def test_studios_whose_clocks_differ_by_a_day_race(racer: Start, open_shared: Open) -> None:
    registry = open_shared()
    ahead = racer("anna", AHEAD_S=str(DAY_S))
    right = racer("ben")
    for number in range(10):
        for studio in (ahead, right):
            studio.order(rounds=1)
            studio.finish(number + 1)
    ended = [end for _begin, end in (*ahead.saved.values(), *right.saved.values())]
    assert max(ended) - min(ended) > DAY_S / 2  # the clocks did differ
    assert ahead.failures + right.failures == []
    assert faults(registry) == []
    order = [one.details["by"] for one in registry.releases("board")][::-1]
    assert order == ["anna", "ben"] * 10


def test_both_studios_read_the_same(racer: Start, open_shared: Open) -> None:
    anna = racer("anna")
    anna.order(rounds=3)
    anna.finish(3)
    first, second = open_shared(), open_shared()
    assert first.versions()[0].digest == second.versions()[0].digest
    assert first.versions()[0].path != second.versions()[0].path
    side = RegistrySide.of_server(first.shared) if first.shared else None
    assert side is not None
    assert not side.is_empty
