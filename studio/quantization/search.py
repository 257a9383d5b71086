"""The choice of the layers that stay in float, from what each costs alone, in few trials."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol


class Cost(Protocol):
    """Error and time of one layer when it alone is quantized."""

    @property
    def sqnr_db(self) -> float: ...

    @property
    def gain_us(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Trial:
    """A variant that was tried.

    Attributes:
        kept: Layers that stay in float.
        drop: Loss of the metric on the samples of the search.
        latency_ratio: To the float model, roughly.
    """

    kept: tuple[str, ...]
    drop: float
    latency_ratio: float
    bytes: int

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "kept": list(self.kept)}


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome: the trial that was chosen, and all of them; None when none kept the limit."""

    best: Trial | None
    trials: tuple[Trial, ...]

    def front(self) -> list[Trial]:
        """The trials than which no other is both faster and better, fastest first."""
        best: list[Trial] = []
        for trial in sorted(self.trials, key=lambda t: (t.latency_ratio, t.drop)):
            if not best or trial.drop < best[-1].drop:
                best.append(trial)
        return best


def search(
    costs: Mapping[str, Cost],
    attempt: Callable[[Collection[str]], Trial],
    max_drop: float,
    trials: int = 5,
) -> Found:
    """Find the fastest variant that loses no more than a limit.

    Layers that are slower in int8 stay in float from the start. If that is not enough, those that
    disturb most for the time they save follow, as many as a bisection finds to be needed.

    Args:
        attempt: Makes and measures the variant that keeps some layers in float.
        max_drop: Largest loss of the metric.
        trials: At most so many variants are made.
    """
    slow = [name for name, cost in costs.items() if cost.gain_us <= 0]
    order = by_harm({name: cost for name, cost in costs.items() if name not in slow})
    made = [attempt(slow)] if order else []
    enough, few = len(order), 0
    while made and len(made) < trials and enough - few > 1 and made[0].drop > max_drop:
        count = max(few + 1, min(2 * few or 2, (few + enough) // 2))
        trial = attempt([*slow, *order[:count]])
        made.append(trial)
        if trial.drop <= max_drop:
            enough = count
        else:
            few = count
    good = [trial for trial in made if trial.drop <= max_drop]
    return Found(min(good, key=lambda t: t.latency_ratio, default=None), tuple(made))


def by_harm(costs: Mapping[str, Cost]) -> Sequence[str]:
    """Layers by noise for each microsecond saved, the worst first."""
    return sorted(
        costs, key=lambda name: -(10 ** (-costs[name].sqnr_db / 10)) / costs[name].gain_us
    )
