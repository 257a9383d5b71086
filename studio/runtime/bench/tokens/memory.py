"""Memory of language models by context, each measured in a process of its own."""

from __future__ import annotations

from ..bench import Bench
from ..entry import BenchCandidate
from ..errors import CandidateError
from ..facts import ContextMemory
from .answers import FilledMemory
from .preparation import load

_EACH_TOKEN = 1.0
"""Seconds that a token of a prompt may take at most."""


def sweep(bench: Bench) -> tuple[ContextMemory, ...]:
    """Fill the cache of each candidate that was measured up to each context."""
    plan = bench.config.tokens
    entries = [each for each in bench.entries if each.state == "measured" and not each.twin]
    cases = [(entry, context) for entry in entries for context in dict.fromkeys(plan.contexts)]
    found = []
    for number, (entry, context) in enumerate(cases):
        bench.progress("memory", number, len(cases), f"{entry.id}: {context:,} tokens of context")
        found.append(_measured(bench, entry, context))
    return tuple(found)


def _measured(bench: Bench, entry: BenchCandidate, context: int) -> ContextMemory:
    own = BenchCandidate(entry.candidate, f"{entry.id}#context{context}", hidden=True)
    bench.entries.append(own)  # ended with the others, should the bench be cancelled
    try:
        load(bench, own, context, 1)
        timeout = bench.config.run_timeout + _EACH_TOKEN * context
        filled = own.call("cannot run", timeout, FilledMemory, do="fill", tokens=context)
    except CandidateError as failure:
        return ContextMemory(entry.id, context, reason=failure.reason)
    finally:
        own.end()
        bench.entries.remove(own)
    return ContextMemory(entry.id, context, filled.peak_mb, filled.shared_mb)
