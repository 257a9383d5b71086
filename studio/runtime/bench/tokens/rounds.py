"""The mode ``tokens``: interleaved answers of all candidates, until an interim check decides."""

from __future__ import annotations

import statistics
from typing import Sequence

from .. import plan
from ..bench import Bench
from ..entry import BenchCandidate
from ..events import InterimCheckMade, Round
from ..facts import InterimChecks
from ..machine.sensors import Sensors, spoils
from ..measures.latency import round_event, schedule
from ..measures.rounds import clean
from ..measures.timing import Block
from ..statistics.bootstrap import ALPHA
from ..statistics.verdicts import DECIDED
from .answers import TokenBlock
from .comparison import compared
from .plan import cell


class TokenRounds:
    """Interleaved rounds: in each, every candidate answers the same prompt in every setting."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._sensors = Sensors()
        self._events: list[Round] = []
        self._spoiled: dict[str, int] = {}
        self._settings: dict[str, tuple[BenchCandidate, int]] = {}
        streams = list(dict.fromkeys(bench.config.tokens.streams))
        for entry in bench.alive:
            # The twin sets the margin; one setting is enough for that.
            for count in streams[:1] if entry.twin else streams:
                self._settings[f"{entry.id}|{count}"] = (entry, count)

    def run(self) -> None:
        """Measure until the rounds are over, or an interim check decides all comparisons."""
        bench = self._bench
        total = self._rounds()
        checks = schedule(total, self._check_count(), ALPHA)
        used, stopped = 0, False
        orders = plan.orders(list(self._settings), bench.config.seed)
        for number, order in zip(range(1, total + 1), orders):
            self._round(number, total, order)
            if not bench.alive:
                break
            check = next((each for each in checks if each.rounds == number), None)
            if check is not None:
                used += 1
                decided = self._decided(check.alpha)
                bench.emit(InterimCheckMade(decided, check.rounds, check.alpha))
                if decided and number < total:
                    stopped = True
                    break
        places, alphas = (tuple(getattr(c, key) for c in checks) for key in ("rounds", "alpha"))
        made = InterimChecks(places, used, stopped, alphas)
        bench.add(
            rounds=len(self._events),
            spoiled=self._spoiled,
            looks=made if len(checks) > 1 else None,
        )

    def _rounds(self) -> int:
        """Return how many rounds the time allows, at the pace of the warm-up."""
        config = self._bench.config
        tokens = config.tokens
        known = [entry.facts.tokens for entry, _ in self._settings.values()]
        length = statistics.fmean(statistics.fmean(one.prompts) for one in known if one)
        # A token of a prompt takes about half the time of one of an answer, or less.
        each = tokens.answer + length / 2
        shortest = sum(count * each * entry.median_ns for entry, count in self._settings.values())
        fitting = int(config.seconds * 1e9 / (shortest or 1))
        return min(config.rounds, max(plan.MIN_ROUNDS, fitting))

    def _check_count(self) -> int:
        others = [each for each in self._bench.alive if not each.twin]
        return self._bench.config.looks if len(others) > 1 else 1

    def _decided(self, alpha: float) -> bool:
        """Return whether more rounds would change no verdict."""
        bench = self._bench
        if bench.reference is None or not bench.reference.alive:
            return False
        names = [entry.id for entry in bench.alive]
        twin = next((entry.id for entry in bench.alive if entry.twin), None)
        streams = bench.config.tokens.streams
        found = compared(clean(self._events), bench.reference.id, names, twin, streams, alpha)
        return all(one.verdict.verdict in DECIDED for one in found.verdicts)

    def _round(self, number: int, total: int, order: Sequence[str]) -> None:
        """Let each remaining candidate answer the round's prompt in each of its settings."""
        readings = [self._sensors.read()]
        blocks: dict[str, Block] = {}
        for name in order:
            entry, streams = self._settings[name]
            if entry.alive:
                with self._bench.dropping(entry):
                    blocks.update(_cells(entry.id, streams, self._answer(entry, streams, number)))
                readings.append(self._sensors.read())
        reasons = spoils(readings)
        for reason in reasons:
            self._spoiled[reason] = self._spoiled.get(reason, 0) + 1
        event = round_event(number, total, blocks, readings, reasons)
        self._events.append(event)
        self._bench.emit(event)

    def _answer(self, entry: BenchCandidate, streams: int, number: int) -> TokenBlock:
        config = self._bench.config
        assert entry.facts.tokens is not None
        prompts = entry.facts.tokens.prompts
        tokens = prompts[(number - 1) % len(prompts)] + config.tokens.answer
        timeout = config.run_timeout + 5 * streams * tokens * entry.median_ns / 1e9
        return entry.call(
            "cannot run", timeout, TokenBlock, do="answers", prompt=number - 1, streams=streams
        )


def _cells(label: str, streams: int, block: TokenBlock) -> dict[str, Block]:
    """Return the measures of a block, each as a cell of the round."""
    decode = sum(block.token_ns)
    first = [float(time) for time in block.first_ns]
    found = {
        cell(label, "first", streams): Block(
            first, max(first), float(block.cpu_ns - block.decode_cpu_ns)
        )
    }
    if block.token_ns:
        count = len(block.token_ns)
        found[cell(label, "token", streams)] = Block(
            [float(time) for time in block.token_ns], decode, block.decode_cpu_ns
        )
        share = decode / count / streams
        found[cell(label, "all", streams)] = Block([share], share, block.decode_cpu_ns / count)
    return found
