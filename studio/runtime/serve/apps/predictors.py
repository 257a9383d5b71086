"""Served models as the steps of an app use them: from pictures and arrays to meanings."""

from __future__ import annotations

import time
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ...apps.items import Objects
from ...apps.settings import AppError
from ..decoders import settings as tasks
from ..decoders.decoder import PictureInInput
from ..decoders.regions import Region
from ..decoders.vectors import label
from ..engine.served_model import ServedModel
from ..images.preprocess import Preprocess
from ..images.resize import quick_resizer

Outputs = Mapping[str, np.ndarray]


class RunTimes(NamedTuple):
    """Times of one run of a model, in seconds.

    Attributes:
        failed: Whether it raised.
    """

    prepared: float
    inferred: float
    decoded: float
    samples: int
    failed: bool = False


CountRun = Callable[[ServedModel, RunTimes], None]


class ServedPredictor:
    """One served model for the steps of an app; any number of threads may use it."""

    def __init__(self, model: ServedModel, count: Optional[CountRun] = None) -> None:
        """Use a model.

        Args:
            count: Called after each run.
        """
        self._model = model
        self._count = count
        self._decoder = model.source.decoder
        self._preprocess = model.source.preprocess
        self._resizer = quick_resizer()
        self._inputs = list(model.inputs)
        self._outputs = list(model.outputs)
        self._size = model.picture_size
        self.task = "" if self._decoder is None else self._decoder.settings.task
        self.batch = model.batch_rows

    @property
    def takes_pictures(self) -> bool:
        """Whether its bundle turns pictures into its input."""
        return self._preprocess is not None and len(self._inputs) == 1

    def pictures(self, pixels: Sequence[np.ndarray]) -> Sequence[Any]:
        """Return the meaning of each picture (height x width x 3, RGB, uint8).

        ``Objects`` for detectors; otherwise plain data, as ``/predict`` answers.

        Raises:
            AppError: when the model takes no pictures.
            ValueError: when its outputs do not have the form of its ``outputs.toml``.
        """
        return self._meanings(self._steps(), pixels, self.batch)

    def lines(self, pixels: Sequence[np.ndarray], most: int) -> Sequence[Any]:
        """Return the meaning of each line of text, where lines of like width run together.

        Lines are ordered by their ratio of width to height. Each group is padded to its widest line
        where the model takes any width.

        Args:
            most: Lines of a group.

        Raises:
            AppError: when the model takes no pictures.
            ValueError: when its outputs do not have the form of its ``outputs.toml``.
        """
        steps = self._steps()
        sizes = [(one.shape[0], one.shape[1]) for one in pixels]
        ratios = np.array([width / height for height, width in sizes])
        order = ratios.argsort(kind="stable").tolist()
        found: List[Any] = [None] * len(pixels)
        for begin in range(0, len(order), most):
            group = order[begin : begin + most]
            shared = steps.together([sizes[at] for at in group])
            for at, one in zip(group, self._meanings(shared, [pixels[at] for at in group], most)):
                found[at] = one
        return found

    def _steps(self) -> Preprocess:
        if self._preprocess is None or len(self._inputs) != 1:
            sentence = "The model {} takes no pictures: it has no preprocess.toml."
            raise AppError(sentence.format(self._model.name))
        return self._preprocess

    def _meanings(self, steps: Preprocess, pixels: Sequence[np.ndarray], rows: int) -> List[Any]:
        began = time.perf_counter()
        arrays = [steps.apply(one, self._resizer) for one in pixels]
        sizes = [(one.shape[0], one.shape[1]) for one in pixels]
        placed = [
            PictureInInput(height, width, steps.placement(height, width)) for height, width in sizes
        ]
        found: List[Any] = []
        for batch in self._batches(arrays, rows):
            prepared = time.perf_counter() - began
            outputs, inferred = self._run({self._inputs[0]: batch})
            began = time.perf_counter()
            for row in range(len(batch)):
                at = len(found)
                mine = outputs if len(batch) == 1 else _row(outputs, row)
                found.append(self._meaning(mine, pixels[at], placed[at]))
            decoded = time.perf_counter() - began
            self._tell(RunTimes(prepared, inferred, decoded, len(batch)))
            began = time.perf_counter()
        return found

    def arrays(self, feeds: Mapping[str, np.ndarray]) -> Mapping[str, Any]:
        """Return the meaning of one sample of arrays; an empty name is the only input.

        Without an ``outputs.toml`` these are the outputs by their names.

        Raises:
            ValueError: when they do not fit the model.
        """
        named = self._named(feeds)
        outputs, inferred = self._run(named)
        began = time.perf_counter()
        found = outputs if self._decoder is None else self._decoder.decode(outputs)
        self._tell(RunTimes(0.0, inferred, time.perf_counter() - began, 1))
        return found

    def _named(self, feeds: Mapping[str, np.ndarray]) -> Dict[str, np.ndarray]:
        named: Dict[str, np.ndarray] = {}
        for name, array in feeds.items():
            known = name or (self._inputs[0] if len(self._inputs) == 1 else "")
            spec = self._model.inputs.get(known)
            if spec is None:
                sentence = "The model {} has no input {!r}."
                raise ValueError(sentence.format(self._model.name, known))
            fitting = np.ascontiguousarray(array, dtype=spec.kind.dtype)
            while fitting.ndim < len(spec.shape):
                fitting = fitting[None]
            if not spec.accepts(fitting.shape):
                sentence = "The input {} of the model {} takes {}, not {}."
                sizes = list(spec.shape), list(fitting.shape)
                raise ValueError(sentence.format(known, self._model.name, *sizes))
            named[known] = fitting
        return named

    def _batches(self, arrays: Sequence[np.ndarray], most: int) -> List[np.ndarray]:
        """Return the inputs of the runs: several pictures of one size at once where that pays."""
        rows = min(most, len(arrays))
        alike = len({one.shape for one in arrays}) == 1
        if rows < 2 or not alike or not self._model.session.free_rows:
            return list(arrays)
        return [
            np.concatenate(arrays[begin : begin + rows]) for begin in range(0, len(arrays), rows)
        ]

    def _run(self, feeds: Dict[str, np.ndarray]) -> Tuple[Dict[str, np.ndarray], float]:
        began = time.perf_counter()
        try:
            found = self._model.session.run(feeds, self._outputs)
        except Exception:
            self._tell(RunTimes(0.0, time.perf_counter() - began, 0.0, 1, failed=True))
            raise
        return dict(zip(self._outputs, found)), time.perf_counter() - began

    def _tell(self, times: RunTimes) -> None:
        if self._count is not None:
            self._count(self._model, times)

    def _meaning(self, outputs: Outputs, pixels: np.ndarray, picture: PictureInInput) -> Any:
        decoder, placement = self._decoder, picture.placement
        if decoder is None:
            return outputs
        size = self._size
        if size is None and placement is not None:
            size = placement.height, placement.width
        if decoder.settings.task in tasks.WITH_OBJECTS:
            found = decoder.objects(outputs, size, picture).boxes
            names = tuple(label(decoder.labels, int(one)) for one in found.classes)
            return Objects(pixels, found.corners, found.scores, names)
        if decoder.settings.task == tasks.TEXT_DETECTION:
            return _text_objects(pixels, decoder.places_of_text(outputs, size, picture))
        return decoder.decode(outputs, size, picture)


def _text_objects(pixels: np.ndarray, places: Sequence[Region]) -> Objects:
    """Return places of text as objects, with the corners of their tilted boxes."""
    outlines = np.array([one.corners for one in places], dtype=np.float64).reshape(-1, 4, 2)
    corners = np.concatenate([outlines.min(axis=1), outlines.max(axis=1)], axis=1)
    scores = np.array([one.score for one in places], dtype=np.float64)
    return Objects(pixels, corners, scores, ("text",) * len(places), outlines=outlines)


def _row(outputs: Outputs, row: int) -> Dict[str, np.ndarray]:
    return {name: array[row : row + 1] for name, array in outputs.items()}
