"""Fixed looks at a study: after which rounds it may end early, and which risk each look takes."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_ROUNDS = 10
"""Before so many rounds nobody looks: an interval from fewer is worth little."""

POWER = 2.0
"""Share of the risk that is spent at a share of the rounds: its square (Kim & DeMets 1987)."""


@dataclass(frozen=True)
class Look:
    """A look after so many rounds.

    Attributes:
        alpha: Risk that this look may take; the looks' risks add up to that of the study, so that
            no assumption is made on how the looks depend on one another.
    """

    rounds: int
    alpha: float


def schedule(rounds: int, looks: int, alpha: float) -> list[Look]:
    """The looks at a study of so many rounds, the last one at its end.

    They stand at the halves: with three looks at a quarter, at half and at the end. Those that
    would come too early are left out.
    """
    places = sorted({rounds >> back for back in range(max(1, looks))} | {rounds})
    places = [each for each in places if each >= LEAST_ROUNDS or each == rounds]
    made: list[Look] = []
    spent = 0.0
    for place in places:
        until = alpha * (place / rounds) ** POWER
        made.append(Look(place, until - spent))
        spent = until
    return made
