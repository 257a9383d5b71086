"""Preparation of language models: each is loaded in its process, and makes the prompts."""

from __future__ import annotations

from dataclasses import replace

from ..bench import Bench
from ..entry import TWIN, BenchCandidate
from ..errors import BenchError
from ..events import RunnerDescription
from ..facts import TokenFacts
from ..process import CandidateProcess
from .answers import PreparedPrompts, TextLoaded


class TokenPreparation:
    """Loading of all entries of a bench."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def run(self) -> None:
        """Load the models; the first that works becomes the reference, and gets a twin.

        Raises:
            BenchError: when no candidate works.
        """
        bench = self._bench
        for number, entry in enumerate(list(bench.entries)):
            bench.progress("load", number, len(bench.entries), f"Loading {entry.id}")
            self._prepare(entry)
            if bench.reference is None and entry.alive:
                bench.reference = entry
        if bench.reference is None:
            first = bench.entries[0]
            raise BenchError(f"None of the candidates works; {first.id}: {first.reason}")
        if bench.config.twin and len(bench.alive) > 1:  # else nothing is compared
            twin = BenchCandidate(bench.reference.candidate, bench.reference.id + TWIN)
            bench.entries.append(twin)
            self._prepare(twin)

    def _prepare(self, entry: BenchCandidate) -> None:
        bench, plan = self._bench, self._bench.config.tokens
        with bench.dropping(entry):
            loaded = load(bench, entry, plan.room, max(plan.streams))
            prompts = entry.call(
                "cannot run",
                bench.config.run_timeout,
                PreparedPrompts,
                do="prepare",
                lengths=list(plan.lengths),
                texts=list(plan.texts),
                answer=plan.answer,
            )
            facts = TokenFacts(loaded.context, loaded.vocabulary, tuple(prompts.lengths))
            entry.facts = replace(entry.facts, tokens=facts)
            entry.state = "ready"
            bench.report(entry)


def load(bench: Bench, entry: BenchCandidate, context: int, slots: int) -> TextLoaded:
    """Load an entry's model in a process of its own, with room for a context in each slot."""
    candidate, config = entry.candidate, bench.config
    entry.process = CandidateProcess(candidate, bench.watch, config.memory_limit_mb)
    loaded = entry.call(
        "cannot load",
        config.load_timeout,
        TextLoaded,
        do="load",
        model=candidate.model,
        backend=candidate.backend,
        settings={**candidate.options, "slots": slots, "context": context},
    )
    described = RunnerDescription(
        runtime=candidate.backend, version=loaded.version, device="cpu", threads=loaded.threads
    )
    entry.facts = replace(
        entry.facts,
        describe=described,
        import_ms=loaded.import_ms,
        load_ms=loaded.load_ms,
        memory_base_mb=loaded.memory_base_mb,
    )
    return loaded
