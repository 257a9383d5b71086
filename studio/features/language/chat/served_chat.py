"""A chat with the language model behind the endpoint of a target."""

from __future__ import annotations

import http.client
import io
import json

from studio.api import TargetError
from studio.documents.dataclass_json import read_parts
from studio.features.language.chat.lines import AnswerLines, ReadLine, follow
from studio.features.language.chat.question import messages_of, request_of
from studio.features.language.chat.results import ASSISTANT, ChatAnswer, ChatMessage, ChatResult
from studio.features.language.chat.step import ChatServedOptions
from studio.features.language.chat.stream import StreamedAnswer, reason_of
from studio.jobs import Job
from studio.lazy_dataclass import dataclass
from studio.monitoring.endpoint.endpoint import Answer, Connection, Link, reached

_CHAT, _MODELS = "/v1/chat/completions", "/v1/models"
_LARGEST = 4 << 20
_TIMEOUT_S = 600.0
"""Longest silence: a long conversation is read before the first token."""

_NO_TEXT = "The model on {0} writes no text."
_HINT = "Deploy a language model there, or try this one on the page Try it."


@dataclass(frozen=True, slots=True)
class _ListedModel:
    """An entry of the list of models."""

    id: str


@dataclass(frozen=True, slots=True)
class _ModelList:
    """The language models of a server; ``data`` is missing where it has none."""

    data: tuple[_ListedModel, ...] = ()


@dataclass(frozen=True, slots=True)
class _ErrorBody:
    """The body of a refusal."""

    error: object = None


def chat_served(options: ChatServedOptions, job: Job) -> ChatResult:
    """Ask the model, as a step's work in a worker.

    Raises:
        UsageError: when the options cannot be used.
        TargetError: when the target serves no language model, or does not answer.
    """
    messages, request = messages_of(options), request_of(options)
    name = options.target.name
    with reached(options.target, job) as link:
        model = _model(link, name)
        job.progress(0, 0, "Waiting for the first token")
        answer = _ask(link, request, job)
    whole = (*messages, ChatMessage(ASSISTANT, answer.text))
    return ChatResult(model, name, "", whole, answer)


def _model(link: Link, target: str) -> str:
    """Return the name of the first language model of a server."""
    connection = link.connect(30.0)
    try:
        answer = link.request(connection, "GET", _MODELS)
        content = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise _silent(error) from None
    finally:
        connection.close()
    try:
        document = json.loads(content[:_LARGEST]) if answer.status == 200 else None
    except (ValueError, RecursionError):
        document = None
    found = read_parts(_ModelList, document if isinstance(document, dict) else {})
    if not found.data:
        raise TargetError(_NO_TEXT.format(target), hint=_HINT)
    return found.data[0].id


def _ask(link: Link, request: bytes, job: Job) -> ChatAnswer:
    connection = link.connect(_TIMEOUT_S)
    try:
        streamed = StreamedAnswer()
        lines = AnswerLines(_Sent(link, connection, request).read_line)
        answer = follow(lines, streamed, job)
    except (OSError, http.client.HTTPException) as error:
        raise _silent(error) from None
    finally:
        connection.close()
    if answer is None:
        raise TargetError("The connection ended before the answer did.")
    return answer


class _Sent:
    """A request that is sent when its answer is first read, on the thread that reads."""

    def __init__(self, link: Link, connection: Connection, request: bytes) -> None:
        self._link, self._connection, self._request = link, connection, request
        self._read: ReadLine | None = None

    def read_line(self, most: int) -> bytes:
        """Return the next line of the answer."""
        if self._read is None:
            self._read = self._opened()
        return self._read(most)

    def _opened(self) -> ReadLine:
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        answer = self._link.request(self._connection, "POST", _CHAT, self._request, headers)
        if answer.status != 200:
            raise TargetError(f"The server refused the request: {_reason(answer)}")
        if isinstance(answer, http.client.HTTPResponse):
            return answer.readline
        return io.BytesIO(answer.read()).readline


def _reason(answer: Answer) -> str:
    try:
        document = json.loads(answer.read()[:_LARGEST])
    except (ValueError, RecursionError):
        return f"status {answer.status}."
    error = read_parts(_ErrorBody, document if isinstance(document, dict) else {}).error
    return reason_of(error) if error else f"status {answer.status}."


def _silent(error: Exception) -> TargetError:
    return TargetError(f"The server did not answer: {str(error) or 'no reason given'}.")
