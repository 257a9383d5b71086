"""The command ``chat``: requests as lines of JSON on standard input, streams on standard output.

The first line has the model, its backend and its settings. Each further line is a request as
OpenAI's clients send it, and its answer is the stream of events that the server would send.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import BinaryIO, List, Mapping, NamedTuple, Optional

from ..generate.catalog import TEXT_BACKENDS
from ..generate.generator import TextGenerator
from ..generate.loader import load_text_model
from ..generate.text_model import TextModel, TextSettings
from ..shared.documents import read_record
from ..shared.errors import LoadError
from .conversation import answer_line


def main(arguments: Optional[List[str]] = None) -> int:
    """Load the model of the first line, then answer until the input ends."""
    requests = sys.stdin.buffer
    answers = _own_output()
    first = read_record(ModelLine, json.loads(requests.readline()))
    try:
        model = loaded(first)
    except (LoadError, ModuleNotFoundError) as error:
        write_line(answers, {"error": str(error)})
        return 1
    return converse(model, requests, answers)


class ModelLine(NamedTuple):
    """The first line: a model, the id of its backend, and how it is loaded."""

    model: str
    backend: str
    settings: TextSettings


def loaded(first: ModelLine) -> TextModel:
    """Load the model that a line names.

    Raises:
        LoadError: in one sentence, when it cannot be loaded.
        ModuleNotFoundError: when the backend's package is missing.
    """
    backend = TEXT_BACKENDS[first.backend]
    return load_text_model(Path(first.model), backend, first.settings)


def converse(model: TextModel, requests: BinaryIO, answers: BinaryIO) -> int:
    """Answer each line of the input."""
    generator = TextGenerator(model)
    facts = model.facts
    ready = {"version": facts.version, "context": facts.context, "fault": generator.why_no_chat}
    write_line(answers, {"ready": ready})
    for line in requests:
        for part in answer_line(generator, line):
            answers.write(part)
            answers.flush()
    generator.loop.close()
    return 0


def write_line(answers: BinaryIO, document: Mapping[str, object]) -> None:
    """Write a document in one line."""
    answers.write(json.dumps(document).encode("utf-8") + b"\n")
    answers.flush()


def _own_output() -> BinaryIO:
    """Return standard output, and send what backends print to standard error instead."""
    own = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return own
