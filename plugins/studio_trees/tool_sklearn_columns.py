"""The columns that a model of scikit-learn takes: one tensor of all, or one for each column.

Used by ``tool_sklearn_models.py``: numpy, pandas and scikit-learn alone; nothing of the studio.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import pandas
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import KBinsDiscretizer

_ALL = "x"
_NO_TEXT = ""
_TEXTS = (CountVectorizer, HashingVectorizer)


class PickleFault(Exception):
    """The fault of a request or a file, in one sentence."""


@dataclass(frozen=True)
class Inputs:
    """The columns of a model.

    Attributes:
        features: Names of all columns of the training.
        texts: Whether each column is of texts.
        used: Those that the model reads.
        is_split: Whether each column is an input of its own.
        is_frame: Whether columns are chosen by their names.
        is_list: Whether the model takes a list of texts instead of rows.
    """

    features: Sequence[str]
    texts: Sequence[bool]
    used: Sequence[bool]
    is_split: bool = False
    is_frame: bool = False
    is_list: bool = False

    @classmethod
    def of(cls, estimator: Any) -> Inputs:
        """Return the columns that an estimator was fitted on.

        Raises:
            PickleFault: for inputs that ONNX has no form of.
        """
        first = first_step(estimator)
        if isinstance(first, DictVectorizer | FeatureHasher):
            raise PickleFault(
                f"Its first step, {type(first).__name__}, takes dictionaries, not tensors."
            )
        if is_of_texts(first):
            return cls([_ALL], [True], [True], is_list=True)
        number = getattr(estimator, "n_features_in_", None) or getattr(first, "n_features_in_", 0)
        if not number:
            raise PickleFault("It does not record how many features it takes.")
        names = getattr(estimator, "feature_names_in_", None)
        if names is None:
            names = getattr(first, "feature_names_in_", None)
        features = [f"{_ALL}{at}" for at in range(number)] if names is None else [*map(str, names)]
        texts = text_columns(first, number)
        used = _used(first, number)
        of_columns = isinstance(first, ColumnTransformer)
        is_mixed = len({text for text, one in zip(texts, used, strict=True) if one}) > 1
        by_name = of_columns and names is not None
        return cls(features, texts, used, by_name or is_mixed, names is not None)

    def tensors(self) -> Iterator[tuple[str, bool, int]]:
        """Yield name, whether it is of texts, and number of columns of each input."""
        if not self.is_split:
            yield _ALL, any(self.texts), len(self.features)
            return
        for name, is_text, is_used in zip(self.features, self.texts, self.used, strict=True):
            if is_used:
                yield name, is_text, 1

    def rows(self, arrays: Mapping[str, Any]) -> Any:
        """Return what the estimator takes for the arrays of its ONNX form."""
        if self.is_list:
            return [str(one) for one in arrays[_ALL].reshape(-1)]
        if not self.is_split:
            rows = arrays[_ALL] if any(self.texts) else arrays[_ALL].astype(numpy.float64)
            return pandas.DataFrame(rows, columns=self.features) if self.is_frame else rows
        length = len(next(iter(arrays.values())))
        columns = {name: numpy.full(length, numpy.nan) for name in self.features}
        columns.update((name, _as_column(array)) for name, array in arrays.items())
        frame = pandas.DataFrame(columns)
        return frame if self.is_frame else frame.to_numpy(dtype=object)


def _as_column(array: Any) -> Any:
    """Return values as in the training: float64, or texts of which the empty ones are missing."""
    flat = array.reshape(-1)
    if flat.dtype.kind != "U":
        return flat.astype(numpy.float64)
    return numpy.where(flat == _NO_TEXT, numpy.nan, flat.astype(object))


def first_step(estimator: Any) -> Any:
    """Return the part of an estimator that its inputs reach first."""
    while True:
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
            continue
        if not isinstance(estimator, Pipeline):
            return estimator
        steps = [one for _, one in estimator.steps if one is not None and one != "passthrough"]
        if not steps:
            return estimator
        estimator = steps[0]


def last_step(estimator: Any) -> Any:
    """Return the part of an estimator that makes its outputs."""
    while True:
        if hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif isinstance(estimator, Pipeline) and estimator.steps:
            estimator = estimator.steps[-1][1]
        else:
            return estimator


def make_exportable(estimator: Any) -> None:
    """Have imputers of texts fill in empty ones, and bins be dense.

    ONNX has neither texts that are missing nor sparse tensors.
    """
    for step in _every_step(estimator):
        is_of_texts = any(isinstance(one, str) for one in getattr(step, "statistics_", ()))
        if isinstance(step, SimpleImputer) and is_of_texts:
            step.missing_values = _NO_TEXT
        if isinstance(step, KBinsDiscretizer) and step.encode == "onehot":
            step.encode = "onehot-dense"


def _every_step(estimator: Any) -> Iterator[Any]:
    """Yield an estimator and those that it is made of."""
    estimator = getattr(estimator, "best_estimator_", estimator)
    yield estimator
    inner = [one for one, _ in parts(estimator)] if isinstance(estimator, ColumnTransformer) else []
    inner += [one for _, one in getattr(estimator, "steps", ())]
    inner += [one for _, one in getattr(estimator, "transformer_list", ())]
    for one in inner:
        yield from _every_step(one)


def is_of_texts(estimator: Any) -> bool:
    """Return whether it takes a list of texts."""
    if isinstance(estimator, FeatureUnion):
        return any(is_of_texts(first_step(one)) for _, one in estimator.transformer_list)
    return isinstance(estimator, _TEXTS)


def parts(transformer: ColumnTransformer) -> Iterator[tuple[Any, Sequence[int]]]:
    """Yield each part of it that is not dropped, with the numbers of its columns."""
    for name, part, _ in transformer.transformers_:
        columns = transformer._transformer_to_input_indices.get(name, ())
        if len(columns) and not (isinstance(part, str) and part == "drop"):
            yield part, [int(at) for at in columns]


def text_columns(estimator: Any, number: int) -> list[bool]:
    """Return whether each column is of texts, by what the first steps have learned of it."""
    estimator = first_step(estimator)
    if isinstance(estimator, ColumnTransformer):
        found = [False] * number
        for part, columns in parts(estimator):
            for at, is_text in zip(columns, text_columns(part, len(columns)), strict=True):
                found[at] |= is_text
        return found
    if isinstance(estimator, FeatureUnion):
        every = [text_columns(one, number) for _, one in estimator.transformer_list]
        return [any(one) for one in zip(*every, strict=True)]
    if is_of_texts(estimator):
        return [True] * number
    learned = getattr(estimator, "categories_", None)
    if learned is None:
        learned = [[one] for one in getattr(estimator, "statistics_", ())]
    if len(learned) != number:
        return [False] * number
    return [any(isinstance(one, str) for one in values) for values in learned]


def _used(first: Any, number: int) -> list[bool]:
    if not isinstance(first, ColumnTransformer):
        return [True] * number
    used = {at for _, columns in parts(first) for at in columns}
    return [at in used for at in range(number)]
