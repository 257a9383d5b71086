"""A language model ready to answer: its loop, its template, its counts."""

from __future__ import annotations

import threading
import time
from typing import Dict, List, Optional, Protocol, Sequence

from ..drift.text_language import MOST_CHARACTERS
from ..drift.text_watch import TextWatch, facts_of
from .conversation import Conversation
from .guard.guard import Guard, texts_of
from .loop import DEFAULT_LIMITS, GenerationLoop, QueueLimits, TooManyRequests
from .prompt_reader import BadPrompt, PromptReader
from .request import AnswerProgress, Generation, GenerationRequest, Listener, Reason
from .sampler import GREEDY
from .score_trace import ScoreTrace
from .statistics import GenerationStatistics
from .text_model import TextModel

_MOST_DECODED = 500
"""Tokens of a prompt that are looked at for its language, where its text is not known."""
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


class RefusedPrompt(BadPrompt):
    """A prompt, or an answer to it, that a guard rule does not let through."""


class TextGenerator(PromptReader):
    """A language model that answers prompts and conversations.

    Attributes:
        statistics: Counts of its answers.
        tap: Observes some of them; None without one.
        guard: Rules for prompts and answers; None without any.
        watch: Compares prompts and answers with the first ones; None where that is not wanted.
    """

    def __init__(self, model: TextModel, limits: QueueLimits = DEFAULT_LIMITS) -> None:
        super().__init__(model, limits.total)
        self.statistics = GenerationStatistics()
        self.tap: Optional[AnswerTap] = None
        self.guard: Optional[Guard] = None
        self.watch: Optional[TextWatch] = None
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
            RefusedPrompt: when a guard rule does not let it through.
        """
        try:
            if self.guard is not None:
                self._admit(self.guard, self._written(conversation))
            return conversation.read_by(self)
        except RefusedPrompt:
            raise
        except BadPrompt:
            if self.tap is not None:
                self.tap.refused(conversation)
            raise

    def _written(self, conversation: Conversation) -> str:
        """Return all texts of a conversation, for the rules."""
        if conversation.messages is not None:
            parts = conversation.messages, conversation.tools, conversation.variables
            return "\n".join(texts_of(*parts))
        return self._text_of(conversation.tokens) if conversation.tokens else conversation.text

    def _admit(self, guard: Guard, text: str) -> None:
        self.check_size(text)  # before any rule has work with it
        refusal = guard.refusal_of(text)
        if refusal is not None:
            raise RefusedPrompt(refusal)

    def submit(self, request: GenerationRequest, listener: Listener) -> Generation:
        """Queue a request; see ``GenerationLoop.submit``."""
        room = self.total - len(request.tokens)
        request = request._replace(most=max(1, min(request.most, room)))
        if self.guard is not None:
            request = _guarded(request, self.guard)
        generation: List[Generation] = []
        tap = self.tap
        if tap is not None and request.conversation is not None:
            request = request._replace(trace=tap.sample(request.conversation))
        texts = AnswerBegin()

        def listen(progress: AnswerProgress) -> None:
            texts.add(progress.text)
            if progress.choice is not None:
                self.statistics.recent.token(time.monotonic())
            if progress.reason is not None and generation:
                self.statistics.ended(generation[0])
                if tap is not None and request.trace is not None:
                    tap.answered(generation[0])
                self._watch(generation[0], texts.text)
            listener(progress)

        try:
            generation.append(self._loop.submit(request, listen))
        except TooManyRequests:
            if tap is not None and request.trace is not None:
                tap.answered(Generation(request, listener))
            raise
        return generation[0]

    def _watch(self, generation: Generation, answer: str) -> None:
        """Show an answer that has ended to the watch of drift."""
        if self.watch is None or generation.reason in (Reason.CANCELLED, Reason.FAILED):
            return
        request = generation.request
        words = "" if request.conversation is None else request.conversation.words()
        prompt = words or self._text_of(request.tokens[-_MOST_DECODED:])
        sizes = len(request.tokens), generation.produced
        cut = generation.reason is Reason.LENGTH
        self.watch.add(facts_of(prompt, answer, sizes, cut))

    def _text_of(self, tokens: Sequence[int]) -> str:
        return b"".join(map(self._model.piece, tokens)).decode("utf-8", "replace")

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
        if last[0].reason is Reason.FILTERED:
            raise RefusedPrompt(last[0].error)
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
            "room_tokens": self.room,
            **counted.recent.status(time.monotonic()),
            "guard": None if self.guard is None else self.guard.status(),
        }


class AnswerBegin:
    """The first characters of an answer, as many as its language needs."""

    def __init__(self) -> None:
        self.text = ""

    def add(self, text: str) -> None:
        """Take more of the answer."""
        if text and len(self.text) < MOST_CHARACTERS:
            self.text += text


def _guarded(request: GenerationRequest, guard: Guard) -> GenerationRequest:
    """Return a request whose answer passes the rules."""
    sampling = request.sampling
    if guard.holds_answers:  # tokens with probabilities would show the text that is held
        sampling = sampling._replace(alternatives=None)
    constraint = request.constraint or guard.constraint()
    return request._replace(filter=guard.filter(), constraint=constraint, sampling=sampling)
