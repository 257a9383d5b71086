"""A chat with a model on this computer, in a process of its backend's environment."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from studio.api import Extension, StudioError, UsageError
from studio.documents.dataclass_json import read_parts
from studio.features.language.chat.lines import AnswerLines, follow
from studio.features.language.chat.question import messages_of, request_of
from studio.features.language.chat.results import ASSISTANT, ChatAnswer, ChatMessage, ChatResult
from studio.features.language.chat.step import ChatModelOptions
from studio.features.language.chat.stream import StreamedAnswer
from studio.jobs import Job
from studio.lazy_dataclass import dataclass
from studio.plugin_host import PluginHost
from studio.plugin_host.environments.build import clean_variables
from studio.registry import ModelRef
from studio.runtime.archive import write_application
from studio.runtime.generate.catalog import text_backend_of
from studio.runtime.shared.errors import LoadError

_LAST_WORDS = 4000


@dataclass(frozen=True, slots=True)
class ChatBackend:
    """A backend of language models and the interpreter that has it."""

    id: str
    python: str


@dataclass(frozen=True, slots=True)
class _Loaded:
    """The loaded model; ``fault`` is why it cannot be talked to."""

    version: str = ""
    context: int = 0
    fault: str = ""


@dataclass(frozen=True, slots=True)
class _FirstLine:
    """The first line of the process: the model is loaded, or why it is not."""

    ready: _Loaded | None = None
    error: str = ""


def chat(options: ChatModelOptions, job: Job) -> ChatResult:
    """Ask the model, as a step's work in a worker.

    Raises:
        UsageError: when the options cannot be used.
        Unavailable: when the environment of the backend is not installed.
        StudioError: when the model fails.
    """
    messages, request = messages_of(options), request_of(options)
    backend = backend_of(options.model, PluginHost.discover())
    with _started(backend, job.folder) as process:
        return _answered(process, backend, options, (messages, request), job)


def backend_of(model: ModelRef, host: PluginHost) -> ChatBackend:
    """Return the backend for a model.

    Raises:
        UsageError: when no backend runs it.
        Unavailable: when its environment is not installed.
    """
    try:
        backend = text_backend_of(Path(model.path))
    except LoadError as error:
        raise UsageError(str(error), hint="Convert it to GGUF first.") from None
    return ChatBackend(backend.id, str(host.get(Extension.TEXT_BACKEND, backend.id).python))


def _answered(
    process: subprocess.Popen[bytes],
    backend: ChatBackend,
    options: ChatModelOptions,
    asked: tuple[tuple[ChatMessage, ...], bytes],
    job: Job,
) -> ChatResult:
    assert process.stdout is not None
    messages, request = asked
    lines = AnswerLines(process.stdout.readline)
    job.progress(0, 0, "Loading the model")
    _write(process, json.dumps(_first_line(options, backend)).encode())
    loaded = _loaded(lines.next(job).content, job.folder)
    if loaded.fault:
        raise StudioError(loaded.fault)
    job.progress(0, 0, "Reading the conversation")
    streamed = StreamedAnswer()
    _write(process, request)
    answer = follow(lines, streamed, job)
    if answer is None:
        raise _crash(job.folder)
    return ChatResult(
        model=f"{options.model.model_name}:{options.model.name}",
        target="",
        backend=f"{backend.id} {loaded.version}".strip(),
        messages=with_answer(messages, answer),
        answer=answer,
    )


def with_answer(messages: tuple[ChatMessage, ...], answer: ChatAnswer) -> tuple[ChatMessage, ...]:
    """Return a conversation with its answer."""
    return (*messages, ChatMessage(ASSISTANT, answer.text))


def _first_line(options: ChatModelOptions, backend: ChatBackend) -> dict[str, object]:
    settings = {"threads": options.threads, "context": options.context}
    return {"model": options.model.path, "backend": backend.id, "settings": settings}


def _loaded(line: bytes, folder: Path) -> _Loaded:
    try:
        document = json.loads(line)
    except ValueError:
        raise _crash(folder) from None
    first = read_parts(_FirstLine, document if isinstance(document, dict) else {})
    if first.ready is None:
        raise StudioError(f"The model cannot be loaded: {first.error}")
    return first.ready


def _crash(folder: Path) -> StudioError:
    with contextlib.suppress(OSError):
        detail = (folder / "chat.log").read_bytes()[-_LAST_WORDS:].decode("utf-8", "replace")
        return StudioError("The process of the model ended unexpectedly.", detail=detail)
    return StudioError("The process of the model ended unexpectedly.")


def _write(process: subprocess.Popen[bytes], line: bytes) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError):  # its end is noticed by reading
        process.stdin.write(line + b"\n")
        process.stdin.flush()


@contextmanager
def _started(backend: ChatBackend, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start the runtime in the environment; it has ended when the context does."""
    application = folder / "edgewright.pyz"
    write_application(str(application))
    with (folder / "chat.log").open("wb") as log:
        process = subprocess.Popen(
            [backend.python, "-I", str(application), "chat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=folder,
            env=clean_variables(folder),
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for stream in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
