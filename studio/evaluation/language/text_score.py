"""The figures of texts, from the values of each scored token."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy
from numpy.typing import NDArray

from studio.api import StudioError
from studio.evaluation.language.corpus import Corpus
from studio.evaluation.language.process import ScoredPosition, ScoredTexts, ScoredToken
from studio.evaluation.language.results import (
    DocumentScore,
    TextDivergence,
    TextLikelihood,
    TextScore,
    TokenProbabilities,
    WorstPosition,
)
from studio.evaluation.language.statistics import (
    METHOD,
    Floats,
    cluster_mean,
    cluster_share,
    exponential,
)

DOCUMENTS, WINDOWS = "documents", "windows"
_ENOUGH_DOCUMENTS = 10
"""Documents from which they, and not windows, are resampled."""

Columns = Mapping[str, NDArray[numpy.generic]]


def read_positions(path: Path) -> dict[str, NDArray[numpy.generic]]:
    """Return the arrays that the process has written.

    Raises:
        StudioError: when they cannot be read, or do not fit together.
    """
    try:
        with numpy.load(path, allow_pickle=False) as archive:
            found = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError) as error:
        raise StudioError(f"The scores of the texts cannot be read: {error}.") from None
    if not found.get("logp", numpy.empty(0)).size or len({len(one) for one in found.values()}) > 1:
        raise StudioError("The scores of the texts are not complete.")
    return found


def text_score(columns: Columns, scored: ScoredTexts, corpus: Corpus) -> TextScore:
    """Return the figures of texts with their intervals.

    Args:
        columns: Arrays with a value for each scored token, by name.
    """
    documents = _floats(columns, "document")
    unit = DOCUMENTS if len(numpy.unique(documents)) >= _ENOUGH_DOCUMENTS else WINDOWS
    clusters = columns["document" if unit == DOCUMENTS else "window"].astype(numpy.int64)
    return TextScore(
        digest=corpus.digest,
        scored=len(documents),
        window=scored.window,
        windows=scored.windows,
        of_windows=scored.of_windows,
        clusters=len(numpy.unique(clusters)),
        unit=unit,
        method=METHOD.format(unit),
        likelihood=_likelihood(columns, clusters),
        divergence=_divergence(columns, clusters) if "kl" in columns else None,
        documents=_documents(columns, scored, corpus),
        worst=tuple(_worst(one, corpus) for one in scored.worst),
    )


def _floats(columns: Columns, name: str) -> Floats:
    found: Floats = columns[name].astype(numpy.float64)
    return found


def _likelihood(columns: Columns, clusters: NDArray[numpy.int64]) -> TextLikelihood:
    loss = -_floats(columns, "logp")
    perplexity = exponential(cluster_mean(loss, clusters))
    if "logp_reference" not in columns:
        return TextLikelihood(perplexity)
    other = -_floats(columns, "logp_reference")
    return TextLikelihood(
        perplexity,
        exponential(cluster_mean(other, clusters)),
        exponential(cluster_mean(loss - other, clusters)),
    )


def _divergence(columns: Columns, clusters: NDArray[numpy.int64]) -> TextDivergence:
    kl = _floats(columns, "kl")
    median, p99 = numpy.quantile(kl, (0.5, 0.99))
    return TextDivergence(
        kl=cluster_mean(kl, clusters),
        median=float(median),
        p99=float(p99),
        maximum=float(kl.max()),
        same_top=cluster_share(_same(columns), clusters),
    )


def _same(columns: Columns) -> Floats:
    return numpy.equal(columns["top"], columns["top_reference"]).astype(numpy.float64)


def _documents(columns: Columns, scored: ScoredTexts, corpus: Corpus) -> tuple[DocumentScore, ...]:
    numbers = columns["document"]
    compared = "kl" in columns
    same = _same(columns) if compared else None

    def one(number: int) -> DocumentScore:
        rows = numbers == number
        found = DocumentScore(
            corpus.documents[number].name,
            scored.tokens[number],
            int(rows.sum()),
            _perplexity(columns, "logp", rows),
        )
        if same is None:
            return found
        return DocumentScore(
            found.name,
            found.tokens,
            found.scored,
            found.perplexity,
            _perplexity(columns, "logp_reference", rows),
            float(_floats(columns, "kl")[rows].mean()),
            float(same[rows].mean()),
        )

    return tuple(one(int(number)) for number in numpy.unique(numbers))


def _perplexity(columns: Columns, name: str, rows: NDArray[numpy.bool_]) -> float:
    return float(numpy.exp(-_floats(columns, name)[rows].mean()))


def _worst(one: ScoredPosition, corpus: Corpus) -> WorstPosition:
    return WorstPosition(
        corpus.documents[one.document].name,
        one.index,
        one.kl,
        one.before,
        one.token,
        token_probabilities(one.candidate),
        token_probabilities(one.reference),
    )


def token_probabilities(one: ScoredToken) -> TokenProbabilities:
    """Return a token of the process as results have it."""
    return TokenProbabilities(one.token, one.candidate, one.reference)
