"""The choice of the layers that stay in float, from what each costs alone, in few trials.

Layers are ordered once, by noise for each microsecond that int8 saves; a variant keeps the first of
them in float. So a search is one over a single number, and few variants need to be made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Protocol, TypeVar

from studio.api import UsageError
from studio.lazy_dataclass import dataclass
from studio.quantization.results import SearchCandidate, SearchLimits
from studio.quantization.tuner import Cost

MARGIN = 0.5
"""The part of the largest loss that a trial may use up: of several trials the best looks better
than it is, since it was chosen for that on the same samples."""


_WORTH = 0.02
"""Part of what int8 saves for which no further trial is made."""

_GIVEN_UP = 0.04
"""Part of what int8 saves that is given up gladly: of the time of a model it is about 2 %, no more
than what measuring it leaves open."""


@dataclass(frozen=True, slots=True)
class Goal(SearchLimits):
    """Requested limits of a search, at least one of the two.

    With a largest loss the fastest variant within it is looked for, with a largest time alone the
    one within it that loses least.
    """

    def __post_init__(self) -> None:
        if self.max_drop is None and self.max_latency_ratio is None:
            raise UsageError(
                "Layer search needs a budget.",
                hint="Pass --max-drop (0.01 is one point) or --max-latency-ratio (0.5 is twice as "
                "fast).",
            )

    @property
    def aim(self) -> float | None:
        """The loss that a trial may have."""
        return None if self.max_drop is None else self.max_drop * MARGIN

    def fast(self, latency_ratio: float) -> bool:
        return self.max_latency_ratio is None or latency_ratio <= self.max_latency_ratio

    def reached(self, trial: SearchCandidate) -> bool:
        """Return whether a trial keeps both limits on the samples of the search."""
        good = self.max_drop is None or trial.drop <= self.max_drop
        return good and self.fast(trial.latency_ratio)


class ScoredCandidate(Protocol):
    """A variant with its loss on the samples of the search."""

    @property
    def kept(self) -> Sequence[str]: ...

    @property
    def drop(self) -> float: ...


CandidateT = TypeVar("CandidateT", bound=ScoredCandidate)


class CandidateBench(Protocol):
    """Bench that creates and measures variants."""

    def timed(self, kept: Sequence[str]) -> float:
        """Time over that of the float model, of the variant with these layers in float."""

    def tried(self, kept: Sequence[str]) -> SearchCandidate:
        """Return the candidate with its loss."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The outcome: the trial that was chosen, and all of them; None when none kept the goal."""

    best: SearchCandidate | None
    trials: tuple[SearchCandidate, ...]

    def front(self) -> tuple[SearchCandidate, ...]:
        """Return the candidates that no other beats in loss, time and size, fastest first."""
        left = [one for one in self.trials if not any(map(one.beaten_by, self.trials))]
        return tuple(sorted(left, key=lambda trial: (trial.latency_ratio, trial.drop)))


def search(
    costs: Mapping[str, Cost], bench: CandidateBench, goal: Goal, trials: int = 6
) -> SearchResult:
    """Find the fastest variant within a loss limit, or the best that is fast enough.

    Layers that are slower in int8 stay in float from the start.

    Args:
        trials: Most variants to score.
    """
    slow = [name for name, cost in costs.items() if cost.gain_us <= 0]
    order = by_harm({name: cost for name, cost in costs.items() if name not in slow})
    if not order:
        return SearchResult(None, ())
    ladder = LayerLadder(slow, order, costs)
    if goal.aim is None:
        # The fastest of all is scored too: what its time costs belongs on the front.
        made = [
            bench.tried(ladder.layers_at(step))
            for step in sorted({0, _slowest(ladder, bench, goal)})
        ]
    else:
        made = least_kept(ladder, bench.tried, goal.aim, trials)
        if instead := _without_the_dear(ladder, made, goal.aim):
            made.append(bench.tried(instead))
    good = [trial for trial in made if goal.reached(trial)]
    return SearchResult(_chosen(good, goal), tuple(made))


def _chosen(good: Sequence[SearchCandidate], goal: Goal) -> SearchCandidate | None:
    """Return the fastest that keeps the margin too, or else that with the least loss."""
    aim = goal.aim
    safe = [trial for trial in good if aim is not None and trial.drop <= aim]
    if safe:
        return min(safe, key=lambda trial: trial.latency_ratio)
    return min(good, key=lambda trial: (trial.drop, trial.latency_ratio), default=None)


class LayerLadder:
    """Variants in a row: each step keeps one more layer in float, the most harmful first."""

    def __init__(
        self, slow: Sequence[str], order: Sequence[str], costs: Mapping[str, Cost]
    ) -> None:
        self._slow, self._order = slow, order
        noises = [noise(costs[name]) for name in order]
        total = sum(noises)
        self.noise = [total - sum_ for sum_ in accumulate(noises, initial=0.0)]
        self.spent = list(accumulate((costs[name].gain_us for name in order), initial=0.0))

    @property
    def first(self) -> int:
        """Step up to which almost no time is lost."""
        return sum(us <= _GIVEN_UP * self.spent[-1] for us in self.spent) - 1

    @property
    def top(self) -> int:
        """The step at which every layer is in float."""
        return len(self._order)

    def layers_at(self, step: int) -> list[str]:
        return [*self._slow, *self._order[:step]]

    def step(self, kept: Sequence[str]) -> int:
        """Return the step that keeps as many layers."""
        return len(kept) - len(self._slow)

    def name(self, index: int) -> str:
        """Return a layer of the ladder."""
        return self._order[index]

    def worth(self, few: int, enough: int) -> bool:
        """Return whether a step between two could save any time to speak of."""
        return self.spent[enough] - self.spent[max(few, 0)] > _WORTH * self.spent[-1]

    def first_below(self, noise: float) -> int:
        """Return the first step with no more noise left than this."""
        return next(k for k, left in enumerate(self.noise) if left <= noise or k == self.top)


def least_kept(
    ladder: LayerLadder, tried: Callable[[Sequence[str]], CandidateT], aim: float, trials: int
) -> list[CandidateT]:
    """Search for the lowest step that loses no more than the aim, from the first on.

    The loss is taken to grow with the noise that is left: that gives every second step. The others
    halve what is not known yet, as some losses jump instead; the last one, where nothing
    was good enough so far, goes far up.
    """
    made: list[CandidateT] = []
    few, enough, step = ladder.first - 1, ladder.top, ladder.first
    while len(made) < trials and enough - few > 1 and ladder.worth(few, enough):
        trial = tried(ladder.layers_at(step))
        made.append(trial)
        if trial.drop <= aim:
            enough = step
        else:
            few = step
        step = (few + enough) // 2
        if len(made) == trials - 1 and enough == ladder.top:
            step = (few + 3 * enough) // 4
        elif trial.drop > aim and len(made) % 2:
            step = ladder.first_below(ladder.noise[few] * aim / trial.drop)
        step = max(few + 1, min(step, enough - 1))
    return made


def _without_the_dear(
    ladder: LayerLadder, made: Sequence[SearchCandidate], aim: float
) -> list[str]:
    """Return layers to retry if the last one in float takes much of the time.

    Those behind it in the row are taken in its place, up to half of its time. Which of two comes
    first hangs on times that were measured, and a dear one that came too early would be kept for
    what a cheap one does as well. Empty where there is nothing to win.
    """
    safe = [trial for trial in made if trial.drop <= aim]
    best = min(safe, key=lambda trial: len(trial.kept), default=None)
    step = 0 if best is None else ladder.step(best.kept)
    if step == 0:
        return []
    dear = ladder.spent[step] - ladder.spent[step - 1]
    if dear <= _GIVEN_UP * ladder.spent[-1]:
        return []
    last = next(
        k for k in range(ladder.top, -1, -1) if ladder.spent[k] <= ladder.spent[step] + dear / 2
    )
    kept = ladder.layers_at(last)
    return [name for name in kept if name != ladder.name(step - 1)] if last > step else []


def _slowest(ladder: LayerLadder, bench: CandidateBench, goal: Goal) -> int:
    """Return the highest step that is still fast enough, without scoring.

    The bottom one when not even that is.
    """
    fast, slow = 0, ladder.top
    first = bench.timed(ladder.layers_at(0))
    if not goal.fast(first) or goal.max_latency_ratio is None:
        return 0
    # The time grows with what the layers kept would have saved, up to that of the float model.
    share = (goal.max_latency_ratio - first) / max(1.0 - first, 1e-9)
    step = next((k for k, us in enumerate(ladder.spent) if us > share * ladder.spent[-1]), slow) - 1
    for _ in range(4):
        step = min(max(step, fast + 1), slow - 1)
        if slow - fast <= 1:
            break
        if goal.fast(bench.timed(ladder.layers_at(step))):
            fast, step = step, step + max(1, (slow - step) // 4)
        else:
            slow, step = step, step - max(1, (step - fast) // 4)
    return fast


def by_harm(costs: Mapping[str, Cost]) -> Sequence[str]:
    """Return layers by noise for each microsecond saved, the worst first."""
    return sorted(costs, key=lambda name: -noise(costs[name]) / costs[name].gain_us)


def noise(cost: Cost) -> float:
    """Return the power of the error at the output, over that of the output."""
    return float(10 ** (-cost.sqnr_db / 10))
