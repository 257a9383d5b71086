"""Int8 tried before the work: one sample calibrates, and the time is the finished model's.

The time of a kernel does not hang on ranges, so that any will do; only the choice of the layers
that stay in float, which a search makes, is not known yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from studio.api import Feeds, Progress, Sample, Transform
from studio.evaluation.comparison import Latency
from studio.evaluation.loaded_model import Subject
from studio.jobs.phases import Phase
from studio.quantization.preset import Recipe
from studio.quantization.variant_timing import timed

_QUICK: Mapping[str, Any] = {"calibration": "minmax", "correct_biases": False}
"""What changes no kernel and takes time; asked for where the method knows it."""


def tried(
    subject: Subject,
    transform: Transform,
    recipe: Recipe,
    feeds: Feeds,
    folder: Path,
    progress: Progress,
) -> Latency:
    """Make the variant of a recipe from one sample, and time it beside the float model.

    Raises:
        StudioError: when it cannot be made; in one sentence.
    """
    known = {option.name for option in transform.options}
    options = {**recipe.options, **{k: v for k, v in _QUICK.items() if k in known}}
    made = transform.apply(
        subject.path, folder / "trial.onnx", options, _One(feeds), Phase(progress, 0, 0.5)
    )
    return timed(subject, made.path, feeds, Phase(progress, 0.5, 1, "Timing"))


class _One:
    """A dataset of one sample."""

    def __init__(self, feeds: Feeds) -> None:
        self._feeds = feeds

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Iterator[Sample]:
        yield Sample(self._feeds)
