"""A language model ready to answer: its loop, its template, its counts."""

from __future__ import annotations

import threading
from typing import Dict, List, Optional, Protocol

from .conversation import Conversation
from .loop import DEFAULT_LIMITS, GenerationLoop, QueueLimits, TooManyRequests
from .prompt_reader import BadPrompt, PromptReader
from .request import AnswerProgress, Generation, GenerationRequest, Listener, Reason
from .sampler import GREEDY
from .score_trace import ScoreTrace
from .statistics import GenerationStatistics
from .text_model import TextModel

_WARM_UP = 8
"""Tokens that are generated before the model is ready."""


class AnswerTap(Protocol):
    """Observer of some answers; it returns at once and raises nothing."""

    def sample(self, conversation: Conversation) -> Optional[ScoreTrace]:
        """Return what takes the scores of an answer; None where it is not wanted."""

    def answered(self, generation: Generation) -> None:
        """Take a sampled answer, in the loop's thread; without a token where it never began."""

    def refused(self, conversation: Conversation) -> None:
        """Note a conversation that the model cannot answer."""


class TextGenerator(PromptReader):
    """A language model that answers prompts and conversations.

    Attributes:
        statistics: Counts of its answers.
        tap: Observes some of them; None without one.
    """

    def __init__(self, model: TextModel, limits: QueueLimits = DEFAULT_LIMITS) -> None:
        super().__init__(model, limits.total)
        self.statistics = GenerationStatistics()
        self.tap: Optional[AnswerTap] = None
        self._loop = GenerationLoop(model, limits)

    @property
    def loop(self) -> GenerationLoop:
        """Its loop."""
        return self._loop

    @property
    def room(self) -> int:
        """Tokens that the caches of all slots hold at most."""
        return self._model.facts.context * self._model.facts.slots

    def read(self, conversation: Conversation) -> List[int]:
        """Return the tokens of a prompt.

        Raises:
            BadPrompt: when it cannot be answered.
        """
        try:
            return conversation.read_by(self)
        except BadPrompt:
            if self.tap is not None:
                self.tap.refused(conversation)
            raise

    def submit(self, request: GenerationRequest, listener: Listener) -> Generation:
        """Queue a request; see ``GenerationLoop.submit``."""
        room = self.total - len(request.tokens)
        request = request._replace(most=max(1, min(request.most, room)))
        generation: List[Generation] = []
        tap = self.tap
        if tap is not None and request.conversation is not None:
            request = request._replace(trace=tap.sample(request.conversation))

        def listen(progress: AnswerProgress) -> None:
            if progress.reason is not None and generation:
                self.statistics.ended(generation[0])
                if tap is not None and request.trace is not None:
                    tap.answered(generation[0])
            listener(progress)

        try:
            generation.append(self._loop.submit(request, listen))
        except TooManyRequests:
            if tap is not None and request.trace is not None:
                tap.answered(Generation(request, listener))
            raise
        return generation[0]

    def answer(self, request: GenerationRequest) -> str:
        """Return a whole answer, in the caller's thread.

        Raises:
            BadPrompt: when it fails.
        """
        texts: List[str] = []
        last: List[AnswerProgress] = []
        done = threading.Event()

        def listen(progress: AnswerProgress) -> None:
            texts.append(progress.text)
            if progress.reason is not None:
                last.append(progress)
                done.set()

        self.submit(request, listen)
        done.wait()
        if last[0].reason in (Reason.FAILED, Reason.CANCELLED):
            raise BadPrompt(last[0].error or "The server ends.")
        return "".join(texts)

    def warm_up(self) -> None:
        """Generate a few tokens, so that memory is allocated and faults show."""
        tokens = [*self._model.facts.begin, *self._model.encode("Hello")][:4] or [0]
        self.answer(GenerationRequest(tokens, _WARM_UP, GREEDY, ends=False))
        self.statistics = GenerationStatistics()

    def status(self) -> Dict[str, object]:
        """Return its state as plain data."""
        facts, counted = self._model.facts, self.statistics
        return {
            "context": facts.context,
            "slots": facts.slots,
            "active": self._loop.active,
            "waiting": self._loop.waiting,
            "waiting_tokens": self._loop.promised,
            "held_tokens": self._loop.held,
            "prompt_tokens": counted.prompt,
            "cached_tokens": counted.cached,
            "answer_tokens": counted.answer,
            "ends": dict(counted.reasons),
        }
