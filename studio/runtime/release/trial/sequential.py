"""Sequential probability ratio tests: a decision as soon as the evidence is enough for it.

Wald, A. (1945): Sequential tests of statistical hypotheses. Ann. Math. Statist. 16. The limits are
those of Ville's inequality (log 1/alpha and log beta), which hold for any number of interim checks.
Several observations may arrive between two checks (Johari, Koomen, Pekelis and Walsh 2022: Always
valid inference. Oper. Res. 70).
"""

from __future__ import annotations

import math
from typing import NamedTuple

GOOD, BAD, OPEN = "good", "bad", "open"


class Errors(NamedTuple):
    """Error rates of a sequential test.

    Attributes:
        alpha: Probability to call a good one bad.
        beta: Probability to call a bad one good.
    """

    alpha: float
    beta: float


class ShareTest:
    """Sequential test of a rare against a frequent event.

    Attributes:
        good: Share of observations with the event that is harmless (or less).
        bad: Share that is not (or more).
    """

    def __init__(self, good: float, bad: float, errors: Errors) -> None:
        if not 0.0 < good < bad < 1.0:
            raise ValueError("a limit of {:g} and one of {:g} leave no room".format(good, bad))
        self.good = good
        self.bad = bad
        self._hit = math.log(bad / good)
        self._miss = math.log((1.0 - bad) / (1.0 - good))
        self._upper = -math.log(errors.alpha)
        self._lower = math.log(errors.beta)

    @property
    def fewest(self) -> int:
        """Return the number of observations without an event after which it is good."""
        return math.ceil(self._lower / self._miss)

    def evidence(self, events: int, of: int) -> float:
        """Return the log likelihood ratio of a bad against a good one."""
        return events * self._hit + (of - events) * self._miss

    def verdict(self, events: int, of: int) -> str:
        """Return ``bad``, ``good``, or ``open`` while the evidence is not sufficient."""
        evidence = self.evidence(events, of)
        if evidence >= self._upper:
            return BAD
        return GOOD if evidence <= self._lower else OPEN
