"""The state of a language model on a target: its speed, its queue, its cache, its guard rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from studio.documents.dataclass_json import optional
from studio.lazy_dataclass import dataclass
from studio.monitoring.endpoint.results import Percentiles


@dataclass(frozen=True, slots=True)
class GuardCount:
    """Texts that broke a guard rule since the server has started.

    Attributes:
        on: ``prompts``, ``answers`` or ``both``.
        action: ``refuse`` or ``count``.
    """

    name: str = ""
    on: str = ""
    action: str = ""
    prompts: int = 0
    answers: int = 0


@dataclass(frozen=True, slots=True)
class GenerationState:
    """A language model as its server reports it.

    Attributes:
        tokens_per_s: Tokens of all answers together, over the last minute; None from a runtime
            that does not report it.
        first_token_ms: From a request to its first token, over the last minute.
        token_ms: Between two tokens of an answer, over the last minute.
        active, waiting: Requests that are answered, and that wait for a slot.
        held_tokens, room_tokens: Tokens in the caches of all slots, and room for them.
        ends: Number of answers by the reason of their end.
    """

    context: int = 0
    slots: int = 0
    active: int = 0
    waiting: int = 0
    held_tokens: int = 0
    room_tokens: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    answer_tokens: int = 0
    tokens_per_s: float | None = None
    first_token_ms: Percentiles = Percentiles()
    token_ms: Percentiles = Percentiles()
    ends: Mapping[str, int] = field(default_factory=dict)
    guard: tuple[GuardCount, ...] | None = optional()

    @property
    def cache_share(self) -> float | None:
        """Share of the caches that is filled, from 0 to 1."""
        return self.held_tokens / self.room_tokens if self.room_tokens else None

    @property
    def prompt_share(self) -> float | None:
        """Share of the prompts' tokens that a cache still had, from 0 to 1."""
        return self.cached_tokens / self.prompt_tokens if self.prompt_tokens else None
