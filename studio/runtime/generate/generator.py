"""A language model ready to answer: its loop, its template, its counts."""

from __future__ import annotations

import threading
from typing import Dict, List, Mapping, Optional, Sequence

from .loop import DEFAULT_LIMITS, GenerationLoop, QueueLimits
from .request import AnswerProgress, Generation, GenerationRequest, Listener, Reason
from .sampler import GREEDY
from .statistics import GenerationStatistics
from .template import ChatTemplate, TemplateError
from .text_model import TextModel

_WARM_UP = 8
"""Tokens that are generated before the model is ready."""


class BadPrompt(Exception):
    """A prompt that cannot be answered, in one sentence."""


class TextGenerator:
    """A language model that answers prompts and conversations.

    Attributes:
        statistics: Counts of its answers.
    """

    def __init__(self, model: TextModel, limits: QueueLimits = DEFAULT_LIMITS) -> None:
        self._model = model
        self.statistics = GenerationStatistics()
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
        self._total = min(limits.total or facts.context, facts.context)
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
    def total(self) -> int:
        """Tokens of one prompt with its answer at most."""
        return self._total

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
        """
        if self._template is None:
            raise BadPrompt(self._template_fault)
        try:
            return self._template.render(
                messages, tools=tools, variables={**self._marks, **(variables or {})}
            )
        except TemplateError as error:
            raise BadPrompt("The chat template refuses it: {}".format(error)) from None

    def tokens_of(self, text: str, special: bool = False) -> List[int]:
        """Return the tokens of a prompt, with those that a text begins with.

        Raises:
            BadPrompt: when it is empty or does not fit the context.
        """
        facts = self._model.facts
        # A token has a handful of characters; a text of many more need not be split to be refused.
        if len(text) > 64 * self._total:
            raise BadPrompt(self._too_long("more than {}".format(self._total)))
        # JSON may have halves of characters, which no tokenizer takes.
        text = text.encode("utf-8", "replace").decode("utf-8")
        with self._tokenizing:
            found = self._model.encode(text, special)
        begin = facts.begin
        tokens = [*(begin if tuple(found[: len(begin)]) != begin else ()), *found]
        if not tokens:
            raise BadPrompt("The prompt is empty.")
        self.check_length(len(tokens))
        return tokens

    def check_length(self, tokens: int) -> None:
        """Check that a prompt leaves room for an answer.

        Raises:
            BadPrompt: when it does not.
        """
        if tokens >= self._total:
            raise BadPrompt(self._too_long(str(tokens)))

    def _too_long(self, tokens: str) -> str:
        if self._total < self._model.facts.context:
            sentence = "The prompt has {} tokens; this server takes {}, the answer included."
        else:
            sentence = "The prompt has {} tokens; the context holds {}, the answer included."
        return sentence.format(tokens, self._total)

    def submit(self, request: GenerationRequest, listener: Listener) -> Generation:
        """Queue a request; see ``GenerationLoop.submit``."""
        room = self._total - len(request.tokens)
        request = request._replace(most=max(1, min(request.most, room)))
        generation: List[Generation] = []

        def listen(progress: AnswerProgress) -> None:
            if progress.reason is not None and generation:
                self.statistics.ended(generation[0])
            listener(progress)

        generation.append(self._loop.submit(request, listen))
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
