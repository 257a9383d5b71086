"""A language model ready to answer: its loop, its template, its counts."""

from __future__ import annotations

import threading
import time
from typing import Dict, List, Mapping, Optional, Sequence

from ..drift.text_language import MOST_CHARACTERS
from ..drift.text_watch import TextWatch, facts_of
from .guard.guard import Guard, texts_of
from .loop import DEFAULT_LIMITS, GenerationLoop, QueueLimits
from .request import AnswerProgress, Generation, GenerationRequest, Listener, Reason
from .sampler import GREEDY
from .statistics import GenerationStatistics
from .template import ChatTemplate, TemplateError
from .text_model import TextModel

_MOST_DECODED = 500
"""Tokens of a prompt that are looked at for its language, where its text is not known."""
_WARM_UP = 8
"""Tokens that are generated before the model is ready."""


class BadPrompt(Exception):
    """A prompt that cannot be answered, in one sentence."""


class RefusedPrompt(BadPrompt):
    """A prompt, or an answer to it, that a guard rule does not let through."""


class TextGenerator:
    """A language model that answers prompts and conversations.

    Attributes:
        statistics: Counts of its answers.
        guard: Rules for prompts and answers; None without any.
        watch: Compares prompts and answers with the first ones; None where that is not wanted.
    """

    def __init__(self, model: TextModel, limits: QueueLimits = DEFAULT_LIMITS) -> None:
        self._model = model
        self.statistics = GenerationStatistics()
        self.guard: Optional[Guard] = None
        self.watch: Optional[TextWatch] = None
        self._template: Optional[ChatTemplate] = None
        self._template_fault = "The model has no chat template."
        self._tokenizing = threading.Lock()
        facts = model.facts
        self._marks = {"bos_token": facts.begin_text, "eos_token": facts.end_text}
        if model.facts.template:
            try:
                self._template = ChatTemplate(model.facts.template)
            except TemplateError as error:
                self._template_fault = "The chat template cannot be used: {}".format(error)
        self._loop = GenerationLoop(model, limits)

    @property
    def model(self) -> TextModel:
        """The model, for its facts."""
        return self._model

    @property
    def loop(self) -> GenerationLoop:
        """Its loop."""
        return self._loop

    @property
    def room(self) -> int:
        """Tokens that the caches of all slots hold at most."""
        return self._model.facts.context * self._model.facts.slots

    @property
    def why_no_chat(self) -> str:
        """Why conversations cannot be answered; empty when they can."""
        return "" if self._template is not None else self._template_fault

    def prompt_of(
        self,
        messages: Sequence[Mapping[str, object]],
        tools: Optional[Sequence[Mapping[str, object]]] = None,
        variables: Optional[Mapping[str, object]] = None,
    ) -> str:
        """Return the text of a conversation as the model was trained with it.

        Raises:
            BadPrompt: when the model has no template, or the template refuses the conversation.
            RefusedPrompt: when a guard rule does not let it through.
        """
        if self._template is None:
            raise BadPrompt(self._template_fault)
        if self.guard is not None:
            self._admit("\n".join(texts_of(messages, tools or (), variables or {})))
        try:
            return self._template.render(
                messages, tools=tools, variables={**self._marks, **(variables or {})}
            )
        except TemplateError as error:
            raise BadPrompt("The chat template refuses it: {}".format(error)) from None

    def tokens_of(self, text: str, special: bool = False) -> List[int]:
        """Return the tokens of a prompt, with those that a text begins with.

        Args:
            special: It is the text of ``prompt_of``, which has looked at its parts.

        Raises:
            BadPrompt: when it is empty or does not fit the context.
            RefusedPrompt: when a guard rule does not let it through.
        """
        facts = self._model.facts
        # A token has a handful of characters; a text of many more need not be split to be refused.
        if len(text) > 64 * facts.context:
            raise BadPrompt(_too_long("more than {}".format(facts.context), facts.context))
        if not special:
            self._admit(text)
        with self._tokenizing:
            found = self._model.encode(text, special)
        begin = facts.begin
        tokens = [*(begin if tuple(found[: len(begin)]) != begin else ()), *found]
        if not tokens:
            raise BadPrompt("The prompt is empty.")
        self.check_length(len(tokens))
        return tokens

    def check_tokens(self, tokens: Sequence[int]) -> None:
        """Check the tokens of a prompt that a client has sent as such.

        Raises:
            BadPrompt: when they leave no room for an answer.
            RefusedPrompt: when a guard rule does not let their text through.
        """
        self.check_length(len(tokens))
        if self.guard is not None:
            self._admit(self._text_of(tokens))

    def _admit(self, text: str) -> None:
        facts = self._model.facts
        if self.guard is None:
            return
        if len(text) > 64 * facts.context:  # as in tokens_of, before any rule has work with it
            raise BadPrompt(_too_long("more than {}".format(facts.context), facts.context))
        refusal = self.guard.refusal_of(text)
        if refusal is not None:
            raise RefusedPrompt(refusal)

    def check_length(self, tokens: int) -> None:
        """Check that a prompt leaves room for an answer.

        Raises:
            BadPrompt: when it does not.
        """
        context = self._model.facts.context
        if tokens >= context:
            raise BadPrompt(_too_long(str(tokens), context))

    def submit(self, request: GenerationRequest, listener: Listener) -> Generation:
        """Queue a request; see ``GenerationLoop.submit``."""
        room = self._model.facts.context - len(request.tokens)
        request = request._replace(most=max(1, min(request.most, room)))
        if self.guard is not None:
            request = _guarded(request, self.guard)
        generation: List[Generation] = []
        texts = AnswerBegin()

        def listen(progress: AnswerProgress) -> None:
            texts.add(progress.text)
            if progress.choice is not None:
                self.statistics.recent.token(time.monotonic())
            if progress.reason is not None and generation:
                self.statistics.ended(generation[0])
                self._watch(generation[0], texts.text)
            listener(progress)

        generation.append(self._loop.submit(request, listen))
        return generation[0]

    def _watch(self, generation: Generation, answer: str) -> None:
        """Show an answer that has ended to the watch of drift."""
        if self.watch is None or generation.reason in (Reason.CANCELLED, Reason.FAILED):
            return
        request = generation.request
        prompt = request.words or self._text_of(request.tokens[-_MOST_DECODED:])
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


def _too_long(tokens: str, context: int) -> str:
    sentence = "The prompt has {} tokens; the context holds {}, the answer included."
    return sentence.format(tokens, context)
