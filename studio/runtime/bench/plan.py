"""Plan of the rounds: their number, their inferences and their order."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Iterator, Mapping, Sequence

from .events import BlockSize

MIN_ROUNDS = 10
"""Fewer rounds carry no interval; a slow model exceeds its time rather than go below."""

MAX_BLOCK = 256
"""Most timed inferences of a candidate in a round."""

SETTLE_NS = 10_000_000
"""The untimed inferences before a block last about so long."""

SLOW_NS = 250_000_000
"""From here on one untimed inference costs more than the cold caches disturb."""


@dataclass(frozen=True)
class RoundPlan:
    """The rounds to be made."""

    rounds: int
    blocks: Mapping[str, BlockSize]


def make_plan(median_ns: Mapping[str, int], rounds: int, seconds: float) -> RoundPlan:
    """Divide the time among the candidates, equally.

    Args:
        median_ns: Time of one inference after the warm-up, by candidate.
        rounds: Most rounds.
        seconds: Time for all of them.
    """
    settle = {each: _settle(time) for each, time in median_ns.items()}
    shortest = sum(time * (1 + settle[each]) for each, time in median_ns.items()) or 1
    count = min(rounds, max(MIN_ROUNDS, int(seconds * 1e9 / shortest)))
    share = seconds * 1e9 / (count * max(1, len(median_ns)))
    blocks = {
        each: BlockSize(
            max(1, min(MAX_BLOCK, int(share / max(1, time)) - settle[each])), settle[each]
        )
        for each, time in median_ns.items()
    }
    return RoundPlan(count, blocks)


def _settle(time: int) -> int:
    return 0 if time >= SLOW_NS else max(1, min(20, math.ceil(SETTLE_NS / max(1, time))))


def orders(candidates: Sequence[str], seed: int) -> Iterator[list[str]]:
    """Yield endless orders of the candidates, random and balanced.

    A group has as many rounds as candidates. In it every candidate takes every place once (a Latin
    square with shuffled rows and symbols), so that no place favours one.
    """
    chance = random.Random(seed)
    count = len(candidates)
    while count:
        symbols = list(candidates)
        chance.shuffle(symbols)
        shifts = list(range(count))
        chance.shuffle(shifts)
        for shift in shifts:
            yield [symbols[(place + shift) % count] for place in range(count)]
