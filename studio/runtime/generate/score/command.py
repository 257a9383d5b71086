"""The command that scores a language model: one JSON request in, JSON lines out."""

from __future__ import annotations

import json
import sys
from typing import Dict, List, Optional

from ...bench.stream import LineWriter
from ...shared.documents import read_record
from ...shared.errors import LoadError
from ...shared.threads import usable_cores
from ..text_model import BackendFailed, ContextFull, TextModel, TextSettings
from .answers import write_answers
from .choices import score_choices
from .pair import ModelPair
from .pipe import PipedModel, load_model
from .request import Report, ScoredPrompt, ScoreError, ScoreRequest
from .text_windows import Progress, score_documents


def main(arguments: Optional[List[str]] = None) -> int:
    """Score by the request in a file; lines have the progress, the last one the reply."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if len(given) != 1:
        print("Give the request: score REQUEST.json", file=sys.stderr)
        return 2
    writer = LineWriter()

    def progress(done: float, total: float, text: str) -> None:
        writer.write({"event": "progress", "done": done, "total": total, "text": text})

    try:
        result = score_file(given[0], progress)
    except Exception as error:  # a backend raises anything
        writer.write({"event": "error", "text": "{}".format(error) or "no reason given"})
        return 1
    writer.write({"event": "result", "result": result})
    return 0


def score_file(path: str, progress: Progress) -> Report:
    """Answer the questions of a file; see ``score``."""
    with open(path, "rb") as stream:
        request = read_record(ScoreRequest, json.loads(stream.read().decode()))
    return score(request, progress)


def score(request: ScoreRequest, progress: Progress) -> Report:
    """Answer all questions of a request.

    Raises:
        ScoreError, LoadError, BackendFailed: in one sentence.
    """
    pair = open_pair(request)
    try:
        found: Dict[str, object] = {"model": _facts(pair.model)}
        if pair.reference is not None:
            found["reference"] = _facts(pair.reference)
        if request.documents:
            found["texts"] = score_documents(pair, request, progress)
        found["answers"] = _prompts(pair, request, progress)
        return found
    finally:
        pair.close()


def open_pair(request: ScoreRequest) -> ModelPair:
    """Load the model here and the reference in a process of its own.

    Raises:
        ScoreError: when they cannot be compared.
        LoadError: when one cannot be loaded.
    """
    count = 1 if request.reference is None else 2
    threads = max(1, (request.threads or usable_cores()) // count)
    settings = TextSettings(threads=threads, context=request.context)
    model = load_model(request.model, settings)
    try:
        reference = None
        if request.reference is not None:
            reference = PipedModel(request.reference, settings)
    except (LoadError, BackendFailed):
        model.close()
        raise
    try:
        return ModelPair(model, reference)
    except ScoreError:
        model.close()
        if reference is not None:
            reference.close()
        raise


def _prompts(pair: ModelPair, request: ScoreRequest, progress: Progress) -> List[Report]:
    settings = (request.temperature, request.seed, request.now)
    found = []
    for number, prompt in enumerate(request.prompts):
        progress(number, len(request.prompts), "Answering {}".format(prompt.id))
        if prompt.choices:
            found.append(_choices(pair, prompt, request.now))
        else:
            found.append(write_answers(pair, prompt, settings))
    return found


def _choices(pair: ModelPair, prompt: ScoredPrompt, now: str) -> Report:
    try:
        return score_choices(pair, prompt, now)
    except ContextFull:
        sentence = "The prompt {} has more tokens than the context of {:,}."
        raise ScoreError(sentence.format(prompt.id, pair.model.facts.context)) from None


def _facts(model: TextModel) -> Report:
    facts = model.facts
    return {
        "version": facts.version,
        "vocabulary": facts.vocabulary,
        "context": facts.context,
        "begin": list(facts.begin),
        "template": bool(facts.template),
    }
