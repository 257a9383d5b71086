"""Lines for people about a language model on a target."""

from __future__ import annotations

from studio.documents.text_table import counted
from studio.monitoring.endpoint.generation import GenerationState, GuardCount

NOTHING = "-"


def language(state: GenerationState | None) -> list[str]:
    """Return speed, queue, cache and guard rules of a language model; nothing for any other."""
    if state is None:
        return []
    first, each = state.first_token_ms, state.token_ms
    share = state.prompt_share
    cached = f", {share:.0%} of prompts from the cache" if share is not None else ""
    return [
        f"tokens      {number(state.tokens_per_s)} a second, {_per_token(each.p50)} each",
        f"first token p50 {_milliseconds(first.p50)}, p99 {_milliseconds(first.p99)}",
        f"running     {state.active} of {counted(state.slots, 'slot')}, {state.waiting} waiting",
        f"cache       {state.held_tokens:,} of {state.room_tokens:,} tokens{cached}",
        *_guard(state.guard or ()),
    ]


def number(value: float | None) -> str:
    """Return a rate with one decimal."""
    return NOTHING if value is None else f"{value:.1f}"


def _per_token(value: float | None) -> str:
    return f"{value:.1f} ms" if value is not None else f"{NOTHING} ms"


def _milliseconds(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.0f} ms"


def _guard(rules: tuple[GuardCount, ...]) -> list[str]:
    """Describe the rules that texts have broken, and count the others."""
    broken = [rule for rule in rules if rule.prompts or rule.answers]
    lines = [
        f"guard       {rule.name}: {counted(rule.prompts, 'prompt')} and "
        f"{counted(rule.answers, 'answer')} {_done(rule)}"
        for rule in broken
    ]
    if len(broken) < len(rules):
        lines.append(f"guard       {counted(len(rules) - len(broken), 'rule')} without a match")
    return lines


def _done(rule: GuardCount) -> str:
    return "refused" if rule.action == "refuse" else "counted"
