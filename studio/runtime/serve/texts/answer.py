"""One answer of a language model, sent whole or as a stream."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Protocol, Sequence, Tuple

from ...generate.generator import TextGenerator
from ...generate.loop import TooManyRequests
from ...generate.request import AnswerProgress, Generation, GenerationRequest, Reason
from ...generate.sampler import Choice
from ..decisions.answer_text import TEXT
from ..decisions.recorder import header_of
from ..engine.served_model import ServedModel
from ..engine.text_desk import TextDesk
from ..http.answer_stream import AnswerStream
from ..http.exchange import Exchange
from ..http.message import HttpError, Response
from ..service import Service

_STREAM_TYPE = "text/event-stream; charset=utf-8"
_STREAM_HEADERS = "Cache-Control: no-cache\r\nX-Accel-Buffering: no\r\n"
_FULL = "Too many requests are waiting. Retry later."
_LATER = "Retry-After: 1\r\n"
_GOOD = (Reason.STOP, Reason.LENGTH, Reason.FILTERED)


class Documents(Protocol):
    """The documents of an answer, as a contract has them."""

    holds_text: bool
    """Whether the text of a stream is sent as a whole at its end."""

    def whole(self, generation: Generation, text: str, choices: Sequence[Choice]) -> Response:
        """Return the answer to a client that wants it whole."""

    def first(self) -> bytes:
        """Return what a stream begins with."""

    def part(self, text: str, choice: Optional[Choice]) -> bytes:
        """Return one piece of a stream."""

    def end(self, generation: Generation, text: str) -> bytes:
        """Return what a stream ends with.

        Args:
            text: The whole text, where it was held.
        """

    def failure(self, status: int, sentence: str) -> bytes:
        """Return the end of a stream that failed."""

    def error(self, status: int, sentence: str, headers: str) -> Response:
        """Return the answer to a request that failed."""


class PreparedAnswer(NamedTuple):
    """An answer that is wanted.

    Attributes:
        prefix: Text in front of the answer.
        ignored: Fields of the request that are not known.
    """

    request: GenerationRequest
    stream: bool
    documents: Documents
    prefix: str = ""
    ignored: Tuple[str, ...] = ()


class AnswerRecord:
    """The entry of an answer in the record of decisions; without such a record it does nothing.

    Attributes:
        headers: What the headers of a stream have for it.
    """

    def __init__(self, model: ServedModel, exchange: Exchange, stream: bool) -> None:
        recorder = model.decisions
        self._recorder = recorder if recorder is not None and recorder.on else None
        self._body = b"" if self._recorder is None else bytes(exchange.request.body)
        self._request = self._recorder.named() if self._recorder is not None and stream else ""
        self.headers = header_of(self._request) if self._request else ""
        self._texts: List[str] = []

    def add(self, text: str) -> None:
        """Take a piece of a stream."""
        if self._request:
            self._texts.append(text)

    def note(self, response: Response) -> None:
        """Record a whole answer."""
        if self._recorder is not None:
            self._recorder.note(self._body, response, True)

    def end(self) -> None:
        """Record a stream: the digest in its entry is that of its text."""
        if self._recorder is not None:
            response = Response(200, "".join(self._texts).encode("utf-8", "replace"), TEXT)
            self._recorder.note_as(self._request, self._body, response, True)


class TextAnswer:
    """An answer under way; used in the event loop's thread."""

    def __init__(
        self,
        service: Service,
        desk: TextDesk,
        exchange: Exchange,
        model: ServedModel,
        want: PreparedAnswer,
    ) -> None:
        self._service = service
        self._desk = desk
        self._exchange = exchange
        self._model = model
        self._want = want
        self._texts: List[str] = []
        self._choices: List[Choice] = []
        self._stream: Optional[AnswerStream] = None
        self._generation: Optional[Generation] = None
        self._record = AnswerRecord(model, exchange, want.stream)

    def begin(self, generator: TextGenerator) -> None:
        """Queue the request; the client gets the answer, or what is wrong."""
        desk = self._desk
        statistics = self._model.statistics
        try:
            self._generation = generator.submit(
                self._want.request, lambda progress: desk.post(lambda: self._take(progress))
            )
        except TooManyRequests:
            statistics.failed_because("REJECTED", 0.0)
            self._exchange.answer(self._want.documents.error(503, _FULL, _LATER))
            return
        statistics.in_flight += 1
        desk.add(self)
        if self._want.stream:
            self._open_stream(generator)

    @property
    def is_in_vain(self) -> bool:
        """Whether the client has left."""
        if self._stream is not None:
            return not self._stream.is_open
        return self._exchange.gone

    def cancel(self) -> None:
        """End it; its slot is free before the next run."""
        assert self._generation is not None
        assert self._model.generator is not None
        self._model.generator.loop.cancel(self._generation)

    def _open_stream(self, generator: TextGenerator) -> None:
        headers = _STREAM_HEADERS + self._model.headers + self._record.headers
        if self._exchange.span is not None:
            self._exchange.span.streamed = True
        try:
            self._stream = self._exchange.stream(Response(200, b"", _STREAM_TYPE, headers))
        except HttpError as error:
            self.cancel()
            self._exchange.answer(error.response())
            return
        self._send(self._want.documents.first() + self._echo())

    def _echo(self) -> bytes:
        prefix = self._want.prefix
        return self._want.documents.part(prefix, None) if prefix else b""

    def _take(self, progress: AnswerProgress) -> None:
        if self._stream is None:
            self._exchange.extend()
        documents = self._want.documents
        reported = self._want.request.sampling.alternatives is not None
        choice = progress.choice if reported else None
        if choice is not None and not self._want.stream:
            self._choices.append(choice)
        self._record.add(progress.text)
        if progress.text or choice is not None:
            if self._stream is None or documents.holds_text:
                self._texts.append(progress.text)
            else:
                self._send(documents.part(progress.text, choice))
        if progress.reason is not None:
            self._conclude(progress.reason, progress.error)

    def _conclude(self, reason: Reason, error: str) -> None:
        generation = self._generation
        assert generation is not None
        self._desk.drop(self)
        self._count(generation, reason)
        self._trace(generation, reason)
        text = "".join(self._texts)
        documents = self._want.documents
        good = reason in _GOOD
        status = 500 if reason is Reason.FAILED else 503
        sentence = error or "The server ends."
        if self._stream is not None:
            if good:
                self._send(documents.end(generation, text))
                self._record.end()
            else:
                self._send(documents.failure(status, sentence))
                if reason is Reason.CANCELLED:  # what was sent until then was read
                    self._record.end()
            self._stream.end()
            if self._exchange.span is not None:
                self._exchange.span.end(200 if good else status)
        elif good:
            response = documents.whole(generation, self._want.prefix + text, self._choices)
            response.headers += self._model.headers
            self._record.note(response)
            self._exchange.answer(response)
        else:
            self._exchange.answer(documents.error(status, sentence, ""))

    def _count(self, generation: Generation, reason: Reason) -> None:
        """Count it for the model, as every request is counted."""
        statistics, times = self._model.statistics, generation.times
        statistics.in_flight -= 1
        if reason in _GOOD:
            queue, run = times.started - times.submitted, times.last - times.started
            statistics.succeeded(queue, 0.0, run, 0.0, times.last, 1)
        else:
            word = "CANCELED" if reason is Reason.CANCELLED else "BACKEND"
            statistics.failed_because(word, 0.0)

    def _trace(self, generation: Generation, reason: Reason) -> None:
        """Note it in the client's trace, by the conventions for GenAI; no text is in it."""
        span, times = self._exchange.span, generation.times
        if span is None or reason not in _GOOD:
            return
        span.phase("queue", times.submitted, times.started)
        span.phase("prompt", times.started, times.first)
        facts = (
            ("gen_ai.operation.name", "text_completion"),
            ("gen_ai.provider.name", "edgewright"),
            ("gen_ai.request.model", self._model.name),
            ("gen_ai.usage.input_tokens", len(self._want.request.tokens)),
            ("gen_ai.usage.output_tokens", generation.produced),
            ("gen_ai.response.finish_reasons", reason.value),
        )
        span.phase("text_completion " + self._model.name, times.started, times.last, *facts)

    def _send(self, part: bytes) -> None:
        if part and self._stream is not None and not self._stream.write(part):
            self.cancel()
