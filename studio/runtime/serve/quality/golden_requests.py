"""The golden samples of a release on trial, for the time in which no client asks anything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, List, NamedTuple

from .first_row import Arrays

if TYPE_CHECKING:
    from ..engine.served_model import ServedModel


class GoldenRequest(NamedTuple):
    """A golden sample with the answer of the release on trial; ``is_new`` in the first pass."""

    inputs: Arrays
    outputs: Arrays
    is_new: bool


class GoldenRequests:
    """Endless passes over the golden samples of a served model; no observer sees their runs."""

    def __init__(self, model: ServedModel) -> None:
        folder = model.source.golden
        self._model = model
        self._paths: List[Path] = [] if folder is None else sorted(folder.glob("*.npz"))
        self._taken = 0

    def __bool__(self) -> bool:
        """Return whether there is a sample."""
        return bool(self._paths)

    def take(self) -> GoldenRequest:
        """Return the next sample."""
        # Only now: most servers never hold a trial.
        from ...release.trial.golden_check import read_sample

        place = self._taken % len(self._paths)
        is_new = place == self._taken
        self._taken += 1
        inputs, _ = read_sample(self._paths[place])
        names = list(self._model.outputs)
        answers = self._model.session.quietly(inputs, names)
        return GoldenRequest(inputs, dict(zip(names, answers)), is_new)
