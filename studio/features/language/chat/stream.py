"""Events of a streamed answer, as OpenAI's interface defines them, put together."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

from studio.api import TargetError
from studio.documents.dataclass_json import read_parts
from studio.features.language.chat.results import ChatAnswer, ChatTimes, ChatUpdate
from studio.lazy_dataclass import dataclass

_DATA = b"data:"
_DONE = b"[DONE]"
_MOST_CHARACTERS = 4 << 20
_INVALID = "The server sent an answer that is no stream of a chat."


@dataclass(frozen=True, slots=True)
class _Delta:
    """New text of a message."""

    content: str | None = None


@dataclass(frozen=True, slots=True)
class _NamedToken:
    """A token with its text."""

    token: str


@dataclass(frozen=True, slots=True)
class _Logprobs:
    """The tokens of a part."""

    content: tuple[_NamedToken, ...] | None = None


@dataclass(frozen=True, slots=True)
class _Choice:
    """The text of an answer that one event has, and the names of its tokens."""

    delta: _Delta = _Delta()
    logprobs: _Logprobs | None = None
    finish_reason: str | None = None


@dataclass(frozen=True, slots=True)
class _CachedTokens:
    """Numbers of tokens of a prompt by their origin."""

    cached_tokens: int = 0


@dataclass(frozen=True, slots=True)
class _Usage:
    """Numbers of tokens."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _CachedTokens | None = None


@dataclass(frozen=True, slots=True)
class _Chunk:
    """One event of a stream."""

    choices: tuple[_Choice, ...] = ()
    usage: _Usage | None = None
    error: object = None


@dataclass(frozen=True, slots=True)
class _Fault:
    """The end of a stream that failed."""

    message: str = ""


class StreamedAnswer:
    """An answer as its parts arrive; the clock begins when it is made.

    Attributes:
        done: Whether the last part has arrived.
        began: When the request was sent, by ``time.perf_counter``.
    """

    def __init__(self) -> None:
        self.done = False
        self.began = time.perf_counter()
        self._first = self._last = 0.0
        self._texts: list[str] = []
        self._tokens: list[str] = []
        self._named = True
        self._sent = (0, 0)
        self._characters = self._parts = 0
        self._usage = _Usage()
        self._end = "stop"

    def add(self, line: bytes, at: float) -> None:
        """Take a line of the stream.

        Args:
            at: The moment at which it arrived, by ``time.perf_counter``.

        Raises:
            TargetError: when it reports a failure, or is no part of such a stream.
        """
        line = line.strip()
        if not line.startswith(_DATA):
            return  # comments and empty lines separate the events
        content = line[len(_DATA) :].strip()
        if content == _DONE:
            self.done = True
            return
        try:
            document = json.loads(content)
        except (ValueError, RecursionError):
            raise TargetError(_INVALID) from None
        if not isinstance(document, dict):
            raise TargetError(_INVALID)
        self._take(document, at)

    def _take(self, document: Mapping[str, object], at: float) -> None:
        chunk = read_parts(_Chunk, document)
        if chunk.error is not None:
            raise TargetError(f"The model did not answer: {reason_of(chunk.error)}")
        self._usage = chunk.usage or self._usage
        if chunk.choices:
            self._add_part(chunk.choices[0], at)

    def _add_part(self, part: _Choice, at: float) -> None:
        text = part.delta.content or ""
        named = part.logprobs.content if part.logprobs else None
        names = [one.token for one in named or ()]
        if text or names:
            self._last = at
            self._first = self._first or self._last
            self._parts += max(1, len(names))
            self._named = self._named and bool(names)
            self._texts.append(text)
            self._tokens += names
            self._characters += len(text)
        if self._characters > _MOST_CHARACTERS:
            raise TargetError(f"The answer has more than {_MOST_CHARACTERS:,} characters.")
        self._end = part.finish_reason or self._end

    def update(self) -> ChatUpdate | None:
        """Return what arrived since the last call; None when nothing did."""
        texts, tokens = self._sent
        if len(self._texts) == texts:
            return None
        self._sent = len(self._texts), len(self._tokens)
        text, names = "".join(self._texts[texts:]), tuple(self._tokens[tokens:])
        return ChatUpdate(text, names, self._parts, self._times(self._parts))

    def answer(self) -> ChatAnswer:
        """Return the whole answer."""
        usage = self._usage
        cached = usage.prompt_tokens_details or _CachedTokens()
        # Parts may be fewer than tokens; their times are those of the first and the last.
        count = usage.completion_tokens or self._parts
        return ChatAnswer(
            text="".join(self._texts),
            tokens=tuple(self._tokens) if self._named else (),
            end=self._end,
            prompt_tokens=usage.prompt_tokens,
            cached_tokens=cached.cached_tokens,
            answer_tokens=count,
            times=self._times(self._parts),
        )

    def _times(self, count: int) -> ChatTimes:
        first = (self._first - self.began) * 1e3 if self._first else None
        span = self._last - self._first
        rate = (count - 1) / span if count > 1 and span > 0 else None
        return ChatTimes(first, rate, (time.perf_counter() - self.began) * 1e3)


def reason_of(error: object) -> str:
    """Return the sentence of an error of OpenAI's shape, one line of it."""
    if isinstance(error, dict):
        text = read_parts(_Fault, error).message
    else:
        text = error if isinstance(error, str) else ""
    return " ".join(text.split())[:500] or "it gave no reason."
