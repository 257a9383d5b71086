"""Answers of OpenAI's interface as JSON: whole ones, and parts of a stream."""

from __future__ import annotations

import json
import secrets
import time
from typing import Dict, List, NamedTuple, Optional, Sequence

from ....generate.request import Generation, Reason
from ....generate.sampler import Choice
from ....generate.text_model import TextModel
from .tool_calls import ToolCall

DONE = b"data: [DONE]\n\n"
_REASONS = {Reason.STOP: "stop", Reason.LENGTH: "length", Reason.FILTERED: "content_filter"}


class AnswerForm(NamedTuple):
    """What all documents of one answer have.

    Attributes:
        chat: The answer is a message; otherwise it is a text.
    """

    chat: bool
    id: str
    created: int
    model: str

    def head(self, stream: bool) -> Dict[str, object]:
        """Return the keys in front of the choices."""
        kind = "text_completion"
        if self.chat:
            kind = "chat.completion.chunk" if stream else "chat.completion"
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def new_form(chat: bool, model: str) -> AnswerForm:
    """Return the form of a new answer."""
    name = "{}-{}".format("chatcmpl" if chat else "cmpl", secrets.token_hex(12))
    return AnswerForm(chat, name, int(time.time()), model)


def usage_of(generation: Generation) -> Dict[str, object]:
    """Return the numbers of tokens of an answer."""
    prompt, answer = len(generation.request.tokens), generation.produced
    return {
        "prompt_tokens": prompt,
        "completion_tokens": answer,
        "total_tokens": prompt + answer,
        "prompt_tokens_details": {"cached_tokens": generation.cached},
    }


def whole_answer(
    form: AnswerForm,
    generation: Generation,
    text: str,
    choices: Sequence[Choice],
    calls: Sequence[ToolCall],
    model: TextModel,
) -> Dict[str, object]:
    """Return a whole answer.

    Args:
        choices: Its tokens with their probabilities; empty where they were not wanted.
    """
    choice: Dict[str, object] = {"index": 0}
    reason = _REASONS.get(generation.reason or Reason.STOP)
    if form.chat:
        message: Dict[str, object] = {"role": "assistant", "content": text}
        if calls:
            reason = "tool_calls"
            message.update(content=text or None, tool_calls=[call.to_json() for call in calls])
        choice["message"] = message
        choice["logprobs"] = {"content": _chat_rows(choices, model)} if choices else None
    else:
        choice["text"] = text
        choice["logprobs"] = _text_rows(choices, model) if choices else None
    choice["finish_reason"] = reason
    return {**form.head(False), "choices": [choice], "usage": usage_of(generation)}


class StreamParts:
    """The parts of one streamed answer, each an event of ``text/event-stream``."""

    def __init__(self, form: AnswerForm, counts: bool, model: TextModel) -> None:
        """Prepare what all parts have.

        Args:
            counts: Each part has a place for the numbers of tokens, which the last one fills.
        """
        self._form = form
        self._counts = counts
        self._model = model
        head = json.dumps(form.head(True), separators=(",", ":"))[:-1]
        inner = '"delta":{"content":' if form.chat else '"text":'
        self._before = 'data: {},"choices":[{{"index":0,{}'.format(head, inner)
        self._after = ("}" if form.chat else "") + ',"logprobs":null,"finish_reason":null}]'
        self._after += ',"usage":null}\n\n' if counts else "}\n\n"

    def first(self) -> bytes:
        """Return the part that names the role; empty for a completion."""
        if not self._form.chat:
            return b""
        return self._part({"delta": {"role": "assistant", "content": ""}}, None)

    def text(self, text: str, choice: Optional[Choice]) -> bytes:
        """Return a part with text.

        Args:
            choice: The token with its probabilities; None where they were not wanted.
        """
        if choice is None:
            return (self._before + json.dumps(text) + self._after).encode("utf-8")
        rows = _chat_rows([choice], self._model)
        if self._form.chat:
            return self._part({"delta": {"content": text}, "logprobs": {"content": rows}}, None)
        return self._part({"text": text, "logprobs": _text_rows([choice], self._model)}, None)

    def tools(self, calls: Sequence[ToolCall]) -> bytes:
        """Return a part with calls of tools."""
        rows = [{"index": place, **call.to_json()} for place, call in enumerate(calls)]
        return self._part({"delta": {"tool_calls": rows}}, None)

    def last(self, reason: str) -> bytes:
        """Return the part that ends the choice."""
        empty: Dict[str, object] = {"delta": {}} if self._form.chat else {"text": ""}
        return self._part(empty, reason)

    def usage(self, generation: Generation) -> bytes:
        """Return the part with the numbers of tokens."""
        document = {**self._form.head(True), "choices": [], "usage": usage_of(generation)}
        return event(document)

    def _part(self, choice: Dict[str, object], reason: Optional[str]) -> bytes:
        choice = {"index": 0, "logprobs": None, **choice, "finish_reason": reason}
        document: Dict[str, object] = {**self._form.head(True), "choices": [choice]}
        if self._counts:
            document["usage"] = None
        return event(document)


def event(document: object) -> bytes:
    """Return a document as one event of a stream."""
    return "data: {}\n\n".format(json.dumps(document, separators=(",", ":"))).encode("utf-8")


def reason_word(reason: Reason) -> str:
    """Return OpenAI's word for the end of an answer."""
    return _REASONS.get(reason, "stop")


def _chat_rows(choices: Sequence[Choice], model: TextModel) -> List[Dict[str, object]]:
    return [
        {
            **_row(choice.token, choice.probability, model),
            "top_logprobs": [_row(token, value, model) for token, value in choice.alternatives],
        }
        for choice in choices
    ]


def _row(token: int, value: float, model: TextModel) -> Dict[str, object]:
    piece = model.piece(token)
    return {"token": _text(piece), "logprob": value, "bytes": list(piece)}


def _text_rows(choices: Sequence[Choice], model: TextModel) -> Dict[str, object]:
    tokens = [_text(model.piece(choice.token)) for choice in choices]
    offsets, place = [], 0
    for token in tokens:
        offsets.append(place)
        place += len(token)
    top = [
        {_text(model.piece(token)): value for token, value in choice.alternatives}
        for choice in choices
    ]
    values = [choice.probability for choice in choices]
    return {"tokens": tokens, "token_logprobs": values, "top_logprobs": top, "text_offset": offsets}


def _text(piece: bytes) -> str:
    return piece.decode("utf-8", "replace")
