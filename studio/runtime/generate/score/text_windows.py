"""The likelihood of texts: every token scored once, in windows that overlap by half.

A window begins with the tokens that the tokenizer wants in front of a text. The first window of a
document scores all of its tokens, each further one its new half. A token has at least half a window
before it. Perplexity from such strides: Hugging Face's "Perplexity of fixed-length models".
llama.cpp scores the same second halves, without the overlap.
"""

from __future__ import annotations

from typing import Callable, Dict, List, NamedTuple, Sequence, Tuple

import numpy as np

from .distance import Columns, columns
from .pair import ModelPair
from .request import Report, ScoreError, ScoreRequest

Progress = Callable[[float, float, str], None]

_NEAR = 24
"""Tokens before a position that are shown as its context."""


class TextWindow(NamedTuple):
    """A stretch of one document.

    Attributes:
        document: Its number.
        start: First token of the document in the window.
        first, end: The tokens of the document that are scored.
    """

    document: int
    start: int
    first: int
    end: int

    @property
    def scored(self) -> int:
        """Number of scored tokens."""
        return self.end - self.first


def windows(lengths: Sequence[int], size: int, begin: int) -> List[TextWindow]:
    """Return the windows of documents.

    Args:
        lengths: Numbers of tokens of the documents.
        size: Tokens of a window, those in front included.
        begin: Number of tokens in front of each window. Without any, the first token of a document
            has nothing before it and is not scored.
    """
    room = size - begin
    found = []
    for document, length in enumerate(lengths):
        first, start = 0 if begin else 1, 0
        while first < length:
            end = min(length, start + room)
            found.append(TextWindow(document, start, first, end))
            first, start = end, end - room // 2
    return found


def chosen(every: Sequence[TextWindow], most: int) -> List[TextWindow]:
    """Return windows at equal distances, at least one; their scored tokens are at most a number."""
    total = sum(one.scored for one in every)
    if total <= most:
        return list(every)
    count = max(1, int(len(every) * most / total))
    return [every[int((number + 0.5) * len(every) / count)] for number in range(count)]


def score_documents(pair: ModelPair, request: ScoreRequest, progress: Progress) -> Report:
    """Score the documents, write a value of each token, and describe the worst positions.

    Raises:
        ScoreError: when the tokenizers differ, or the documents have too few tokens.
    """
    tokens = [pair.encode(one.text, one.name) for one in request.documents]
    size = min(request.window, *(one.facts.context for one in pair.models))
    every = windows([len(one) for one in tokens], size, len(pair.begin))
    _check_length(sum(one.scored for one in every), sum(map(len, tokens)), size)
    taken = chosen(every, request.tokens)
    parts: List[Columns] = []
    total, done = sum(one.scored for one in taken), 0
    for number, window in enumerate(taken):
        progress(done, total, "Scoring {}".format(request.documents[window.document].name))
        parts.append(_score_window(pair, tokens[window.document], window, number))
        done += window.scored
    found = {name: np.concatenate([one[name] for one in parts]) for name in parts[0]}
    if request.positions:
        np.savez(request.positions, **found)  # type: ignore[arg-type]
    return {
        "tokens": [len(one) for one in tokens],
        "window": size,
        "windows": len(taken),
        "of_windows": len(every),
        "worst": _worst(pair, found, tokens, request.worst),
    }


def _check_length(scored: int, tokens: int, size: int) -> None:
    if tokens < size or not scored:
        raise ScoreError(
            "The text has {:,} tokens, fewer than one window of {:,}.".format(tokens, size)
        )


def _score_window(
    pair: ModelPair, tokens: Sequence[int], window: TextWindow, number: int
) -> Columns:
    """Return the figures of the scored tokens of a window."""
    given = [*pair.begin, *tokens[window.start : window.end - 1]]
    truth = list(tokens[window.first : window.end])
    parts, place = [], 0
    for ours, theirs in pair.scores(given, len(truth)):
        parts.append(columns(ours, theirs, truth[place : place + len(ours)]))
        place += len(ours)
    found = {name: np.concatenate([one[name] for one in parts]) for name in parts[0]}
    count = len(truth)
    found["document"] = np.full(count, window.document, np.int32)
    found["window"] = np.full(count, number, np.int32)
    found["index"] = np.arange(window.first, window.end, dtype=np.int64)
    found["token"] = np.asarray(truth, np.int32)
    return found


def _worst(
    pair: ModelPair, found: Columns, tokens: Sequence[Sequence[int]], most: int
) -> List[Dict[str, object]]:
    """Return the positions with the largest divergence; without a reference, none."""
    if "kl" not in found:
        return []
    order = np.argsort(-found["kl"], kind="stable")[:most]
    return [_described(pair, found, tokens, int(row)) for row in order]


def _described(
    pair: ModelPair, found: Columns, tokens: Sequence[Sequence[int]], row: int
) -> Dict[str, object]:
    document, index = int(found["document"][row]), int(found["index"][row])
    before = tokens[document][max(0, index - _NEAR) : index]
    mine, theirs = int(found["top"][row]), int(found["top_reference"][row])
    return {
        "document": document,
        "index": index,
        "kl": float(found["kl"][row]),
        "before": text_of(pair, before),
        "token": text_of(pair, [int(found["token"][row])]),
        "reference": _top(pair, theirs, found, row, ("p_top_reference", "p_of_reference_top")),
        "candidate": _top(pair, mine, found, row, ("p_reference_of_top", "p_top")),
    }


def _top(
    pair: ModelPair, token: int, found: Columns, row: int, names: Tuple[str, str]
) -> Dict[str, object]:
    """Return a token with the probabilities of the reference and of the model for it."""
    reference, candidate = (float(found[name][row]) for name in names)
    return {"token": text_of(pair, [token]), "reference": reference, "candidate": candidate}


def text_of(pair: ModelPair, tokens: Sequence[int]) -> str:
    """Return the text of tokens; special ones are numbers in brackets."""
    pieces = [pair.model.piece(one) or "<{}>".format(one).encode() for one in tokens]
    return b"".join(pieces).decode("utf-8", "replace")
