"""Samples made up for a model of scikit-learn, of the values that its parts have learned.

Used by ``tool_sklearn.py``: numpy and scikit-learn alone; nothing of the studio.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy
from sklearn.compose import ColumnTransformer

_columns: Any = importlib.import_module("tool_sklearn_columns")

_COUNT = 32
_TRIED = 4 * _COUNT
_UNDECIDED = 1e-4
"""Difference of the two best scores below which rounding decides about the label."""

_WORDS = (3, 12)
_MOST_TEXTS = 1000
_MARGIN = 0.1
"""Share of a range by which samples reach beyond it."""

_LEAST = 1e-3

_SPREAD = 2.0
"""Standard deviations around a mean."""

Range = tuple[float, float]


def made_up(model: Any) -> dict[str, Any]:
    """Return an array of requests, each a batch of one, for every input."""
    generator = numpy.random.default_rng(0)
    estimator, inputs = model.estimator, model.inputs
    first = _columns.first_step(estimator)
    columns = [
        _column(generator, estimator, first, at, is_text) for at, is_text in enumerate(inputs.texts)
    ]
    if inputs.is_split:
        every = dict(zip(inputs.features, columns, strict=True))
        found = {name: every[name].reshape(-1, 1) for name, _, _ in inputs.tensors()}
    else:
        ((name, _, _),) = inputs.tensors()
        found = {name: numpy.stack(columns, -1)}
    chosen = _decided(model, found)
    return {name: array[chosen][:, None] for name, array in found.items()}


def _decided(model: Any, arrays: Mapping[str, Any]) -> Any:
    """Return the numbers of rows whose label does not depend on rounding, first of all."""
    number = len(next(iter(arrays.values())))
    scores = model.outputs(arrays)[-1]
    if scores.ndim != 2 or scores.shape[1] < 2 or len(scores) != number:
        return numpy.arange(min(number, _COUNT))
    best = numpy.sort(scores, -1)
    is_close = best[:, -1] - best[:, -2] < _UNDECIDED * numpy.abs(best).max(-1)
    return numpy.argsort(is_close, kind="stable")[:_COUNT]


def _column(
    generator: numpy.random.Generator, estimator: Any, first: Any, at: int, is_text: bool
) -> Any:
    values = _values(first, at)
    if is_text:
        texts = [str(one) for one in values] or _sentences(generator, first, at) or ["a", "b"]
        return numpy.array(generator.choice(texts[:_MOST_TEXTS], _TRIED), dtype=str)
    if values:
        return generator.choice(numpy.asarray(values, numpy.float32), _TRIED)
    low, high = next(_ranges(estimator, at), (-_SPREAD, _SPREAD))
    margin = max((high - low) * _MARGIN, _LEAST)
    return generator.uniform(low - margin, high + margin, _TRIED).astype(numpy.float32)


def _at(estimator: Any, at: int) -> Iterator[tuple[Any, int]]:
    """Yield the parts that a column reaches first, with its number there."""
    if not isinstance(estimator, ColumnTransformer):
        yield estimator, at
        return
    for part, columns in _columns.parts(estimator):
        if at in columns:
            yield part, columns.index(at)


def _steps(part: Any) -> Iterator[Any]:
    for step in [one for _, one in part.steps] if hasattr(part, "steps") else [part]:
        if isinstance(step, str):
            continue
        yield step
        if hasattr(step, "transformer_list"):
            yield from (one for _, one in step.transformer_list)


def _values(first: Any, at: int) -> list[Any]:
    """Return the categories that a part has learned of a column."""
    for part, number in _at(first, at):
        for step in _steps(part):
            learned = getattr(step, "categories_", ())
            if number < len(learned):
                return [one for one in learned[number] if one is not None and one == one]
    return []


def _sentences(generator: numpy.random.Generator, first: Any, at: int) -> list[str]:
    """Return texts of the words that a part has learned."""
    for part, _ in _at(first, at):
        for step in _steps(part):
            words = sorted(map(str, getattr(step, "vocabulary_", ())))
            if words:
                sizes = generator.integers(*_WORDS, _TRIED)
                chosen = [generator.choice(words, size) for size in sizes]
                return [" ".join(one).capitalize() for one in chosen]
    return []


def _ranges(estimator: Any, at: int) -> Iterator[Range]:
    """Yield the ranges of a column that an estimator has learned, of its first parts first."""
    for name in ("best_estimator_", "estimator_", "regressor_"):
        if hasattr(estimator, name):
            yield from _ranges(getattr(estimator, name), at)
    if hasattr(estimator, "steps"):
        for step in _steps(estimator):
            yield from _ranges(step, at)
        return
    if isinstance(estimator, ColumnTransformer):
        for part, number in _at(estimator, at):
            yield from _ranges(part, number)
        return
    yield from (one for one in _learned(estimator, at) if numpy.isfinite(one).all())
    inner = [next(_ranges(one, at), None) for one in _inner(estimator)]
    if known := [one for one in inner if one is not None]:
        yield min(low for low, _ in known), max(high for _, high in known)


def _inner(estimator: Any) -> list[Any]:
    found = getattr(estimator, "estimators_", None)
    if found is None:
        found = [one.estimator for one in getattr(estimator, "calibrated_classifiers_", ())]
    flat = numpy.array(found, dtype=object).reshape(-1)
    return [one for one in flat if not isinstance(one, str)]


def _learned(estimator: Any, at: int) -> Iterator[Range]:
    for name, scale in (("mean_", "scale_"), ("center_", "scale_")):
        middle, width = _row(estimator, name), _row(estimator, scale)
        if at < len(middle) and at < len(width):
            yield middle[at] - _SPREAD * width[at], middle[at] + _SPREAD * width[at]
    low, high = _row(estimator, "data_min_"), _row(estimator, "data_max_")
    if at < len(low) and at < len(high):
        yield low[at], high[at]
    for values in _lists(estimator, at):
        if len(values):
            yield min(values), max(values)


def _lists(estimator: Any, at: int) -> Iterator[Any]:
    """Yield numbers of a column: edges, thresholds, stored rows, centres."""
    for name in ("bin_edges_", "_bin_thresholds"):
        if at < len(edges := getattr(estimator, name, ())):
            yield edges[at]
    mapper = getattr(estimator, "_bin_mapper", None)
    if mapper is not None and at < len(mapper.bin_thresholds_):
        yield mapper.bin_thresholds_[at]
    tree = getattr(estimator, "tree_", None)
    if tree is not None:
        yield tree.threshold[tree.feature == at]
    names = ("_fit_X", "support_vectors_", "cluster_centers_", "means_", "theta_", "quantiles_")
    for name in names:
        rows = getattr(estimator, name, None)
        if isinstance(rows, numpy.ndarray) and rows.ndim == 2 and at < rows.shape[1]:
            yield rows[:, at]


def _row(estimator: Any, name: str) -> Any:
    found = getattr(estimator, name, None)
    return found if isinstance(found, numpy.ndarray) and found.ndim == 1 else ()
