"""What the program that scores a language model is given, as one JSON file."""

from __future__ import annotations

from typing import Dict, NamedTuple, Optional, Tuple


class ScoredModel(NamedTuple):
    """The file of a language model, and what runs it.

    Attributes:
        path: Its file.
        backend: Id of the backend that runs it.
        python: Interpreter with that backend; empty for the one of the program.
    """

    path: str
    backend: str
    python: str = ""


class TextDocument(NamedTuple):
    """A text whose likelihood is wanted."""

    name: str
    text: str


class ChatMessage(NamedTuple):
    """A message of a conversation."""

    role: str
    content: str


class ScoredPrompt(NamedTuple):
    """A text or a conversation for a model.

    Attributes:
        id: Unique among those of the request.
        text: Plain text; not used where there are messages.
        messages: A conversation, which the model's own chat template writes.
        choices: Continuations whose likelihood is wanted; without any an answer is written.
        stop: Texts that end an answer; they are not part of it.
        limit: Most tokens of an answer.
    """

    id: str
    text: str = ""
    messages: Tuple[ChatMessage, ...] = ()
    choices: Tuple[str, ...] = ()
    stop: Tuple[str, ...] = ()
    limit: int = 128


class ScoreRequest(NamedTuple):
    """Questions about a language model.

    Attributes:
        reference: Another model that gets the same tokens, with which it is compared.
        positions: Path of the arrays with a value for each scored token, to be written.
        threads: Of both models together; 0 for all processors that may be used.
        context: Tokens of a slot.
        window: Tokens of a window of a text, at most.
        tokens: Most tokens of texts that are scored.
        temperature: Of the answers; 0 takes the most probable token.
        seed: Of the answers at a temperature above 0.
        worst: Number of positions that are described with their context.
        now: Date for templates that write one, ``2026-01-31``.
    """

    model: ScoredModel
    reference: Optional[ScoredModel] = None
    documents: Tuple[TextDocument, ...] = ()
    prompts: Tuple[ScoredPrompt, ...] = ()
    positions: str = ""
    threads: int = 0
    context: int = 2048
    window: int = 512
    tokens: int = 8192
    temperature: float = 0.0
    seed: int = 0
    worst: int = 20
    now: str = ""


class ScoreError(Exception):
    """A request that cannot be fulfilled, in one sentence."""


Report = Dict[str, object]
"""An object of the reply in JSON."""
