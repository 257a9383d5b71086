"""The process that scores language models, in the environment of a backend."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from studio.api import Extension, Progress, StudioError, Unavailable
from studio.documents.dataclass_json import InvalidDocument, from_json
from studio.lazy_dataclass import dataclass
from studio.plugin_host import PluginHost
from studio.plugin_host.environments.tool_run import ToolRun
from studio.registry import ModelRef
from studio.runtime.archive import write_application
from studio.runtime.generate.catalog import text_backend_of
from studio.runtime.generate.score.request import ScoredModel, ScoreRequest
from studio.runtime.shared.errors import LoadError

_TOOL = Path(__file__).with_name("tool.py")


@dataclass(frozen=True, slots=True)
class ScoredFacts:
    """The version of the backend that ran a model, and the size of its vocabulary."""

    version: str
    vocabulary: int
    context: int


@dataclass(frozen=True, slots=True)
class ScoredToken:
    """A token with its probability by the model and by the reference."""

    token: str
    candidate: float
    reference: float


@dataclass(frozen=True, slots=True)
class ScoredPosition:
    """A position where both models differ much; the document is a number."""

    document: int
    index: int
    kl: float
    before: str
    token: str
    candidate: ScoredToken
    reference: ScoredToken


@dataclass(frozen=True, slots=True)
class ScoredTexts:
    """Facts of scored texts that are not in the arrays; ``tokens`` has one for each document."""

    tokens: tuple[int, ...]
    window: int
    windows: int
    of_windows: int
    worst: tuple[ScoredPosition, ...]


@dataclass(frozen=True, slots=True)
class ScoredText:
    """An answer: its text, the number of its tokens, and why it ended."""

    text: str
    tokens: int
    end: str


@dataclass(frozen=True, slots=True)
class ScoredSplit:
    """The first tokens at which two answers differ."""

    place: int
    model: ScoredToken
    reference: ScoredToken


@dataclass(frozen=True, slots=True)
class ScoredAnswer:
    """A written answer, or the log-probabilities of choices."""

    id: str
    model: ScoredText | tuple[float, ...]
    reference: ScoredText | tuple[float, ...] | None = None
    split: ScoredSplit | None = None


@dataclass(frozen=True, slots=True)
class ScoreReply:
    """The reply of the process."""

    model: ScoredFacts
    answers: tuple[ScoredAnswer, ...] = ()
    reference: ScoredFacts | None = None
    texts: ScoredTexts | None = None
    notes: tuple[str, ...] = field(default=())


def located(model: ModelRef, host: PluginHost) -> ScoredModel:
    """Return a model with its backend and the interpreter that has it.

    Raises:
        Unavailable: when no backend here runs it, or its environment is not installed.
    """
    path = Path(model.path)
    try:
        backend = text_backend_of(path)
    except LoadError as error:
        raise Unavailable(str(error), hint="Convert it to GGUF first.") from None
    toolchain = host.get(Extension.TEXT_BACKEND, backend.id)
    return ScoredModel(str(path), backend.id, str(toolchain.python))


def score(request: ScoreRequest, folder: Path, progress: Progress) -> ScoreReply:
    """Run the process to its end.

    Args:
        folder: For the runtime and the questions; the process may write there.

    Raises:
        StudioError: in one sentence, when it fails.
        Cancelled: when the job was cancelled.
    """
    application, questions = folder / "edgewright.pyz", folder / "questions.json"
    write_application(str(application))
    questions.write_text(json.dumps(_plain(request)))
    run = ToolRun(Path(request.model.python), _TOOL, folder)
    given = {"application": str(application), "questions": str(questions)}
    try:
        return from_json(ScoreReply, run.result(given, progress))
    except InvalidDocument as error:
        raise StudioError(f"The scores cannot be read: {error}") from None
    except StudioError as error:
        raise _plainly(error) from None


def _plainly(error: StudioError) -> StudioError:
    """Return the error with the sentence of the runtime alone, without the name of the tool."""
    _, mark, reason = error.message.partition("tool failed: ")
    return StudioError(reason, detail=error.detail) if mark else error


def _plain(value: object) -> object:
    """Return named tuples as JSON objects."""
    fields = getattr(value, "_asdict", None)
    if fields is not None:
        return {name: _plain(part) for name, part in fields().items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    return value
