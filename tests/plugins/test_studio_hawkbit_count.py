"""Who is counted, who is doubted, and when the failures of a group are too many."""

from __future__ import annotations

import random

import pytest

from studio_hawkbit.container import ReleaseName
from studio_hawkbit.count import FleetTally
from studio_hawkbit.judgement import too_many
from studio_hawkbit.server import DONE, FAILED, WAITING, FleetBoard

RELEASE = ReleaseName("digits", 2, 2, "ab" * 32)


class Confirming:
    """A server that confirms the success of some boards, and counts how often it is called."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.calls = 0

    def confirms(self, board: FleetBoard, release: ReleaseName) -> bool:
        self.calls += 1
        return board.id in self.names and release == RELEASE


def board(name: str, state: str, version: str = RELEASE.text) -> FleetBoard:
    return FleetBoard(name, version, state, 1.0)


def test_each_doubt_has_its_reason() -> None:
    boards = [
        board("good", DONE),
        board("boasts", DONE),
        board("never", WAITING),
        board("broken", FAILED),
        board("old", DONE, "1.1.0+cdcdcdcdcdcd"),
    ]
    found = FleetTally(Confirming("good")).count(boards, RELEASE)  # type: ignore[arg-type]
    assert (found.boards, found.serving, found.failed) == (5, 1, 1)
    assert sorted(found.doubted) == ["boasts", "broken", "never"]
    assert "no message of its installation" in found.doubted["boasts"]
    assert "never reported its installation" in found.doubted["never"]
    assert "last action has failed" in found.doubted["broken"]
    assert found.settled is False


def test_a_foreign_release_is_named_and_does_not_count() -> None:
    boards = [board("good", DONE), board("foreign", DONE, "9.9.0+eeeeeeeeeeee")]
    boards.append(board("new", WAITING, "none"))
    tally = FleetTally(Confirming("good", "foreign"))  # type: ignore[arg-type]
    found = tally.count(boards, RELEASE, {RELEASE.text})
    assert found.serving == 1
    assert list(found.foreign) == ["foreign"]
    facts = found.facts()
    assert facts["unknown_release"] == 1
    assert "9.9.0+eeeeeeeeeeee" in str(facts["why"])


def test_a_success_is_confirmed_once() -> None:
    server = Confirming("good")
    tally = FleetTally(server)  # type: ignore[arg-type]
    for _ in range(3):
        assert tally.count([board("good", DONE)], RELEASE).serving == 1
    assert server.calls == 1


def test_only_some_doubted_boards_are_named() -> None:
    boards = [board(f"liar-{number:03}", WAITING) for number in range(200)]
    facts = FleetTally(Confirming()).count(boards, RELEASE).facts()  # type: ignore[arg-type]
    assert facts["not_believed"] == 200
    assert len(dict(facts["why"])) == 20  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("failed", "answered", "boards", "most", "halts"),
    [
        (0, 100, 100, 10.0, False),
        (1, 1, 1000, 10.0, False),
        (2, 2, 1000, 10.0, False),
        (3, 3, 1000, 10.0, True),
        (1, 1, 1, 10.0, True),
        (2, 20, 20, 10.0, False),
        (3, 20, 20, 10.0, True),
        (1, 500, 1000, 0.0, True),
        (100, 100, 1000, 100.0, False),
        (40, 1000, 2000, 5.0, False),
        (110, 1000, 2000, 10.0, False),
        (300, 1000, 2000, 10.0, True),
    ],
)
def test_the_limit_of_failures(
    failed: int, answered: int, boards: int, most: float, halts: bool
) -> None:
    assert too_many(failed, answered, boards, most) is halts


def test_a_rollout_at_its_limit_is_seldom_paused_however_often_it_is_looked_at() -> None:
    draw, paused = random.Random(5), 0
    for _ in range(300):
        failed = 0
        for answered in range(1, 301):
            failed += draw.random() < 0.1
            if too_many(failed, answered, 1000, 10.0):
                paused += 1
                break
    assert paused <= 300 * 0.04
