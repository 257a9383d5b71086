"""Lines for people about a chat."""

from __future__ import annotations

from studio.documents.text_table import counted
from studio.features.language.chat.results import LENGTH, ChatAnswer, ChatResult


def chat(result: ChatResult) -> list[str]:
    """Return the answer and its figures."""
    return [*result.answer.text.splitlines(), figures(result.answer)]


def figures(answer: ChatAnswer) -> str:
    """Return the figures of an answer in one line."""
    times = answer.times
    parts = [counted(answer.answer_tokens, "token")]
    if times.first_ms is not None:
        parts.append(f"first after {times.first_ms:.0f} ms")
    if times.tokens_per_s is not None:
        parts.append(f"{times.tokens_per_s:.1f} tokens/s")
    if answer.prompt_tokens:
        parts.append(f"{answer.prompt_tokens} tokens read")
    if answer.end == LENGTH:
        parts.append("ended by the limit of tokens")
    return f"[{', '.join(parts)}]"
