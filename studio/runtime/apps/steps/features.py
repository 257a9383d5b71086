"""The step that makes a signal of features from windows of another signal, with a model."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple

import numpy as np

from ..items import SIGNAL, FrameStamp, StepOutput
from ..parts import AppContext, StepType, kinds
from ..settings import AppError
from .assess import check_layout, laid_out


class FeatureSettings(NamedTuple):
    """Settings of a model whose output is a signal again.

    Attributes:
        model: Name of a model of the app without ``outputs.toml``.
        layout: Axes of its input, as of ``predict``, or ``samples x channels x 1``.
        scale: Multiplies the samples.
        offset: Is added to them afterwards.
    """

    model: str
    layout: str = "samples"
    scale: float = 1.0
    offset: float = 0.0


_ONE_MORE = " x 1"


class Features:
    """Runs a model on each window; its output, rows x features, is a piece of a new signal.

    The last axis of the output has the features, and those before it are the rows in their order.
    A mel spectrogram of a window of sound is such a piece, and so is the one row of an embedding.
    """

    def __init__(self, name: str, settings: FeatureSettings, context: AppContext) -> None:
        """Look up the model.

        Raises:
            AppError: when there is no such model, one with a meaning, or no such layout.
        """
        self._layout = settings.layout
        self._is_picture = settings.layout == "samples x channels" + _ONE_MORE
        if self._is_picture:
            self._layout = settings.layout[: -len(_ONE_MORE)]
        check_layout(name, self._layout)
        self._predictor = context.predictor(settings.model)
        if self._predictor.task:
            sentence = "steps.{}: the model {} has a meaning ({}): use predict, or no outputs.toml."
            raise AppError(sentence.format(name, settings.model, self._predictor.task))
        self._model = settings.model
        self._scale = np.float32(settings.scale)
        self._offset = np.float32(settings.offset)

    def process(self, stamp: FrameStamp, value: Any) -> StepOutput:
        """Give the features of one window, samples x channels.

        Raises:
            ValueError: for a model whose first output has no features.
        """
        window = laid_out(value * self._scale + self._offset, self._layout)
        if self._is_picture:
            window = window[:, :, None]
        found = self._predictor.arrays({"": window})
        first = np.asarray(next(iter(found.values())))
        if not first.ndim or not first.size:
            raise ValueError("the model {} gives no features".format(self._model))
        return StepOutput(first.reshape(-1, first.shape[-1]).astype(np.float32))


TYPES: Dict[str, StepType] = {
    "features": StepType(
        "features",
        "Make a signal of features from windows of a signal, with a model",
        kinds(SIGNAL),
        kinds(SIGNAL),
        FeatureSettings,
        Features,
        shared=True,
    )
}
