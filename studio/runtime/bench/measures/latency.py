"""The mode ``latency``: interleaved rounds, one stream, until an interim check decides."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Mapping, Sequence

from .. import plan
from ..bench import Bench
from ..entry import BenchCandidate
from ..events import InterimCheckMade, Round
from ..facts import InterimChecks
from ..machine.sensors import Reading, Sensors, spoils
from ..statistics.bootstrap import ALPHA
from ..statistics.percentiles import ENOUGH
from ..statistics.verdicts import DECIDED, compare
from . import latency as looks
from .rounds import clean, times
from .timing import Block


class Rounds:
    """Interleaved rounds of the mode ``latency``."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._sensors = Sensors()
        self._events: list[Round] = []
        self._spoiled: dict[str, int] = {}

    def run(self) -> None:
        """Measure until the rounds are over, or an interim check decides all comparisons."""
        bench = self._bench
        alive = {entry.id: entry for entry in bench.alive}
        medians = {each: entry.median_ns for each, entry in alive.items()}
        planned = plan.make_plan(medians, bench.config.rounds, bench.config.seconds)
        for entry in alive.values():
            entry.facts = replace(entry.facts, block=planned.blocks[entry.id])
        places = looks.schedule(planned.rounds, self._check_count(), ALPHA)
        used, stopped = 0, False
        orders = plan.orders(list(alive), bench.config.seed)
        for number, order in zip(range(1, planned.rounds + 1), orders):
            self._round(number, planned, [alive[each] for each in order])
            if not bench.alive:
                break
            look = next((each for each in places if each.rounds == number), None)
            if look is not None:
                used += 1
                decided = self._decided(look.alpha, planned)
                bench.emit(InterimCheckMade(decided, look.rounds, look.alpha))
                if decided and number < planned.rounds:
                    stopped = True
                    break
        planned_checks = tuple(each.rounds for each in places)
        alphas = tuple(each.alpha for each in places)
        checks = InterimChecks(planned_checks, used, stopped, alphas)
        bench.add(
            rounds=len(self._events),
            spoiled=self._spoiled,
            looks=checks if len(places) > 1 else None,
        )

    def _check_count(self) -> int:
        """Return the number of checks: one without a comparison, as percentiles need all rounds."""
        others = [each for each in self._bench.alive if not each.twin]
        return self._bench.config.looks if len(others) > 1 else 1

    def _decided(self, alpha: float, planned: plan.RoundPlan) -> bool:
        """Return whether more rounds would change neither a verdict nor a percentile."""
        bench = self._bench
        assert bench.reference is not None
        kept = clean(self._events)
        if not bench.reference.alive or self._percentiles_to_come(kept, planned):
            return False
        names = [entry.id for entry in bench.alive]
        twin = next((entry.id for entry in bench.alive if entry.twin), None)
        medians = {name: times(kept, name) for name in names}
        found, _ = compare(bench.reference.id, medians, twin, alpha)
        return all(each.verdict in DECIDED for each in found)

    def _percentiles_to_come(self, kept: Sequence[Round], planned: plan.RoundPlan) -> bool:
        """Return whether the remaining rounds would bring a percentile that is not there yet."""
        for entry in self._bench.alive:
            have = sum(len(each.times_ns.get(entry.id, ())) for each in kept)
            will = planned.blocks[entry.id].runs * planned.rounds
            if any(have < needed <= will for _, needed in ENOUGH.values()):
                return True
        return False

    def _round(self, number: int, planned: plan.RoundPlan, order: list[BenchCandidate]) -> None:
        """Run one block of each remaining candidate."""
        readings = [self._sensors.read()]
        blocks: dict[str, Block] = {}
        for entry in order:
            if not entry.alive:
                continue
            size = planned.blocks[entry.id]
            with self._bench.dropping(entry):
                expected = entry.median_ns * (size.runs + size.settle) / 1e9
                timeout = self._bench.config.run_timeout + 5 * expected
                request = {"runs": size.runs, "settle": size.settle}
                blocks[entry.id] = entry.call("cannot run", timeout, Block, do="time", **request)
            # A reading after each block: a disturbance of any block spoils the round.
            readings.append(self._sensors.read())
        reasons = spoils(readings)
        for reason in reasons:
            self._spoiled[reason] = self._spoiled.get(reason, 0) + 1
        event = round_event(number, planned.rounds, blocks, readings, reasons)
        self._events.append(event)
        self._bench.emit(event)


def round_event(
    number: int,
    total: int,
    blocks: Mapping[str, Block],
    readings: list[Reading],
    reasons: list[str],
) -> Round:
    """Return the event of a round."""
    last = readings[-1]
    return Round(
        round=number,
        of=total,
        order=tuple(blocks),
        times_ns={each: block.times_ns for each, block in blocks.items()},
        wall_ns={each: block.wall_ns for each, block in blocks.items()},
        cpu_ns={each: block.cpu_ns for each, block in blocks.items()},
        clock_mhz=last.clock_mhz,
        temperature_c=last.temperature_c,
        stolen_ticks=last.stolen - readings[0].stolen,
        spoiled=tuple(reasons),
    )


LEAST_ROUNDS = 10
"""Before so many rounds nobody looks: an interval from fewer is worth little."""

POWER = 2.0
"""Share of the risk that is spent at a share of the rounds: its square (Kim & DeMets 1987)."""


@dataclass(frozen=True)
class InterimCheck:
    """Interim check after a number of rounds.

    Attributes:
        alpha: Risk of this check; the checks' risks add up to that of the study, which needs no
            assumption on their dependence.
    """

    rounds: int
    alpha: float


def schedule(rounds: int, looks: int, alpha: float) -> list[InterimCheck]:
    """Return the interim checks of a study, the last one at its end.

    They halve the study: three checks are at a quarter, at half and at the end. Those that
    would come too early are left out.
    """
    places = sorted({rounds >> back for back in range(max(1, looks))} | {rounds})
    places = [each for each in places if each >= LEAST_ROUNDS or each == rounds]
    made: list[InterimCheck] = []
    spent = 0.0
    for place in places:
        until = alpha * (place / rounds) ** POWER
        made.append(InterimCheck(place, until - spent))
        spent = until
    return made
