"""Answers to one request for a chat, as the parts of a stream."""

from __future__ import annotations

import queue
from typing import Iterator

from ..generate.generator import TextGenerator
from ..generate.prompt_reader import BadPrompt
from ..generate.request import AnswerProgress, GenerationRequest, Reason
from ..serve.contracts.openai.answers import DONE, event, new_form
from ..serve.contracts.openai.documents import OpenAiDocuments
from ..serve.contracts.openai.errors import BadField, error_document
from ..serve.contracts.openai.fields import read_document
from ..serve.contracts.openai.questions import read_chat


def answer_line(generator: TextGenerator, line: bytes) -> Iterator[bytes]:
    """Yield the parts of the answer to a request; an error is a part, too."""
    facts = generator.model.facts
    try:
        given = read_chat(read_document(line), facts.vocabulary)
        text = generator.prompt_of(given.messages, given.tools or None, given.variables)
        tokens = generator.tokens_of(text, special=True)
    except (BadField, BadPrompt) as error:
        yield failure(400, str(error))
        return
    question = given.question
    request = GenerationRequest(
        tokens,
        question.most or facts.context,
        question.sampling,
        question.stops,
        question.constraint,
        question.ends,
    )
    documents = OpenAiDocuments(
        new_form(True, ""), generator.model, question.counts, bool(given.tools)
    )
    yield documents.first()
    yield from _parts(generator, request, documents)


def _parts(
    generator: TextGenerator, request: GenerationRequest, documents: OpenAiDocuments
) -> Iterator[bytes]:
    arrived: "queue.Queue[AnswerProgress]" = queue.Queue()
    generation = generator.submit(request, arrived.put)
    reported = request.sampling.alternatives is not None
    held = []
    while True:
        progress = arrived.get()
        choice = progress.choice if reported else None
        if documents.holds_text:
            held.append(progress.text)
        elif progress.text or choice is not None:
            yield documents.part(progress.text, choice)
        if progress.reason in (Reason.FAILED, Reason.CANCELLED):
            yield failure(500, progress.error or "The model was stopped.")
            return
        if progress.reason is not None:
            yield documents.end(generation, "".join(held))
            return


def failure(status: int, sentence: str) -> bytes:
    """Return the end of a stream that failed."""
    return event({"error": error_document(status, sentence)}) + DONE
