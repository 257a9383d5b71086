"""Prompts as a model reads them: the chat template, then the tokenizer."""

from __future__ import annotations

import threading
from typing import List, Mapping, Optional, Sequence

from .template import ChatTemplate, TemplateError
from .text_model import TextModel


class BadPrompt(Exception):
    """A prompt that cannot be answered, in one sentence."""


class PromptReader:
    """Template and tokenizer of a language model.

    Args:
        total: Tokens of one prompt with its answer at most; 0 for those of the context.
    """

    def __init__(self, model: TextModel, total: int = 0) -> None:
        self._model = model
        self._total = min(total or model.facts.context, model.facts.context)
        self._template: Optional[ChatTemplate] = None
        self._template_fault = "The model has no chat template."
        self._tokenizing = threading.Lock()
        facts = model.facts
        self._marks = {"bos_token": facts.begin_text, "eos_token": facts.end_text}
        if facts.template:
            try:
                self._template = ChatTemplate(facts.template)
            except TemplateError as error:
                self._template_fault = "The chat template cannot be used: {}".format(error)

    @property
    def model(self) -> TextModel:
        """The model, for its facts."""
        return self._model

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
        self.check_size(text)
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

    def check_size(self, text: str) -> None:
        """Check that a text is not far too long, before anything has work with it.

        A token has a handful of characters; a text of many more need not be split to be refused.

        Raises:
            BadPrompt: when it is.
        """
        if len(text) > 64 * self._total:
            raise BadPrompt(self._too_long("more than {}".format(self._total)))

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
