"""The documents of one answer of OpenAI's interface."""

from __future__ import annotations

from typing import List, Optional, Sequence, Tuple

from ....generate.request import Generation, Reason
from ....generate.sampler import Choice
from ....generate.text_model import TextModel
from ...http.message import Response
from .answers import DONE, AnswerForm, StreamParts, event, reason_word, whole_answer
from .errors import error_document, error_response
from .tool_calls import ToolCall, split_calls


class OpenAiDocuments:
    """Documents of a chat or a completion.

    Attributes:
        holds_text: A text that may be a call of a tool is sent when it is whole.
    """

    def __init__(self, form: AnswerForm, model: TextModel, counts: bool, tools: bool) -> None:
        self._form = form
        self._model = model
        self._counts = counts
        self._parts = StreamParts(form, counts, model)
        self.holds_text = tools

    def whole(self, generation: Generation, text: str, choices: Sequence[Choice]) -> Response:
        """Return the whole answer."""
        rest, calls = self._split(generation, text)
        document = whole_answer(self._form, generation, rest, choices, calls, self._model)
        return Response.of(document)

    def first(self) -> bytes:
        """Return the part with the role."""
        return self._parts.first()

    def part(self, text: str, choice: Optional[Choice]) -> bytes:
        """Return a part with text."""
        return self._parts.text(text, choice)

    def end(self, generation: Generation, text: str) -> bytes:
        """Return the last parts."""
        reason = reason_word(generation.reason or Reason.STOP)
        parts = []
        if self.holds_text:
            rest, calls = self._split(generation, text)
            parts += [self._parts.text(rest, None)] if rest else []
            parts += [self._parts.tools(calls)] if calls else []
            reason = "tool_calls" if calls else reason
        parts.append(self._parts.last(reason))
        if self._counts:
            parts.append(self._parts.usage(generation))
        return b"".join((*parts, DONE))

    def _split(self, generation: Generation, text: str) -> Tuple[str, List[ToolCall]]:
        """Return a text and the calls in it; one that was cut has no calls to run."""
        if not self.holds_text or generation.reason is Reason.FILTERED:
            return text, []
        return split_calls(text)

    def failure(self, status: int, sentence: str) -> bytes:
        """Return the end of a stream that failed; clients read the error from it."""
        return event({"error": error_document(status, sentence)}) + DONE

    def error(self, status: int, sentence: str, headers: str) -> Response:
        """Return an error."""
        return error_response(status, sentence, headers=headers)
