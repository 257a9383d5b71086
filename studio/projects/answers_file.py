"""A model's form in its file: answers are added, and none is ever changed or removed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from studio.api import StudioError, UsageError
from studio.documents.dataclass_json import InvalidDocument, from_json, optional, to_json
from studio.documents.plain import plain
from studio.lazy_dataclass import dataclass
from studio.projects.answers import EvidenceForm, FormAnswer, PersonRequest
from studio.projects.append_only import locked, read_regular
from studio.projects.projects import FOLDER
from studio.registry import Registry, component
from studio.settings.files import write_atomically

SCHEMA = 1
MOST_BYTES = 8 * 1024 * 1024
MOST_ANSWERS = 10_000
MOST_TEXT = 20_000
MOST_NAME = 200
_ID = re.compile(r"[a-z0-9]+(?:[.-][a-z0-9]+)*")
_MOST_ID = 80


@dataclass(frozen=True, slots=True)
class _FormDocument:
    """The content of the file."""

    schema: int
    answers: tuple[FormAnswer, ...]
    requests: tuple[PersonRequest, ...] = optional(())


def answers_path(registry: Registry, model: str) -> Path:
    """Return the file of a model's form, which may not exist."""
    return registry.folder.parent / FOLDER / f"{component(model, 'A model')}.evidence.json"


def read_form(file: Path) -> EvidenceForm:
    """Return the form of a file; an empty one when it does not exist.

    Raises:
        StudioError: when the file is a link, too large, or no form.
    """
    content = _content(file)
    if content is None:
        return EvidenceForm()
    try:
        document = from_json(_FormDocument, json.loads(content))
    except (ValueError, RecursionError) as error:
        detail = str(error) if isinstance(error, InvalidDocument) else ""
        raise _damaged(file, detail) from None
    if document.schema != SCHEMA:
        raise StudioError(
            f"{file} was written by another version of Edgewright.",
            hint="Update Edgewright, or move the file away.",
        )
    if len(document.answers) > MOST_ANSWERS or not all(map(_is_valid, document.answers)):
        raise _damaged(file, "An answer is not valid.")
    if len(document.requests) > MOST_ANSWERS or not all(map(_is_request, document.requests)):
        raise _damaged(file, "A request is not valid.")
    return EvidenceForm(document.answers, document.requests)


def add_answers(file: Path, answers: Iterable[FormAnswer]) -> EvidenceForm:
    """Add answers to the form of a file, and return the form.

    One process at a time adds. The file is replaced whole, after it was flushed to the disk.

    Raises:
        UsageError: when an answer is not valid, or the form is full.
        StudioError: when the file cannot be read or written.
    """
    added = tuple(answers)
    for one in added:
        _check(one)
    return _add(file, added, ())


def add_request(file: Path, request: PersonRequest) -> EvidenceForm:
    """Add a request to the form of a file, and return the form.

    Raises:
        UsageError: when the name is not valid, or the form is full.
        StudioError: when the file cannot be read or written.
    """
    if not _is_name(request.of):
        hint = "Name the person, with --of."
        raise UsageError(f"The name must be one line of up to {MOST_NAME} characters.", hint=hint)
    return _add(file, (), (request,))


def _add(
    file: Path, answers: tuple[FormAnswer, ...], requests: tuple[PersonRequest, ...]
) -> EvidenceForm:
    try:
        with locked(file.parent):
            form = read_form(file)
            form = EvidenceForm((*form.answers, *answers), (*form.requests, *requests))
            document = _FormDocument(SCHEMA, form.answers, form.requests)
            content = json.dumps(to_json(document), indent=1) + "\n"
            most = max(len(form.answers), len(form.requests))
            if most > MOST_ANSWERS or len(content.encode()) > MOST_BYTES:
                raise UsageError("The form of this model is full.", hint=_FULL_HINT)
            write_atomically(file, content.encode())
    except OSError as error:
        raise StudioError(f"{file} cannot be written: {error.strerror or error}.") from None
    return form


_FULL_HINT = f"A form has up to {MOST_ANSWERS:,} answers and {MOST_BYTES // 1024**2} MB."


def _content(file: Path) -> bytes | None:
    content = read_regular(file, MOST_BYTES)
    if content is not None and len(content) > MOST_BYTES:
        raise _damaged(file, f"It is larger than {MOST_BYTES // 1024**2} MB.")
    return content


def _damaged(file: Path, detail: str) -> StudioError:
    return StudioError(
        f"{file} is not a form of answers.",
        hint="Restore the file from a backup, or move it away to begin a new form.",
        detail=detail,
    )


def _check(answer: FormAnswer) -> None:
    """Refuse an answer that the file could not hold.

    Raises:
        UsageError: with the reason.
    """
    if not answer.text.strip():
        raise UsageError("The answer is empty.", hint="Write it with --text.")
    if len(answer.text) > MOST_TEXT:
        raise UsageError(f"The answer is longer than {MOST_TEXT:,} characters.")
    if plain(answer.text) != answer.text:
        raise UsageError("The answer has control characters or hidden marks.")
    if not _is_name(answer.by):
        hint = "Name who answers, with --by."
        raise UsageError(f"The name must be one line of up to {MOST_NAME} characters.", hint=hint)
    if not _is_valid(answer):
        raise UsageError(f"{answer.question[:80]!r} cannot be the id of a question.")


def _is_name(text: str) -> bool:
    return bool(text.strip()) and len(text) <= MOST_NAME and text.isprintable()


def _is_request(request: PersonRequest) -> bool:
    """Whether a request of a file is within the bounds of those that are written."""
    return (
        len(request.question) <= _MOST_ID
        and _ID.fullmatch(request.question) is not None
        and _is_name(request.of)
        and len(request.at) <= MOST_NAME
        and request.at.isprintable()
    )


def _is_valid(answer: FormAnswer) -> bool:
    """Whether an answer of a file is within the bounds of those that are written."""
    return (
        len(answer.question) <= _MOST_ID
        and _ID.fullmatch(answer.question) is not None
        and 0 < len(answer.text) <= MOST_TEXT
        and plain(answer.text) == answer.text
        and 0 < len(answer.by) <= MOST_NAME
        and answer.by.isprintable()
        and len(answer.at) <= MOST_NAME
        and answer.at.isprintable()
    )
