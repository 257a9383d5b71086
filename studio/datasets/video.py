"""Datasets of videos: frames spread evenly over the files, prepared like pictures."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from types import ModuleType
from typing import Any

from studio.api import InvalidData, Sample, Unavailable, Value
from studio.datasets.fit import conform
from studio.datasets.preprocess import Preprocess
from studio.datasets.subset import spread
from studio.settings.installation import missing_hint

_REQUIREMENT = "opencv-python-headless>=4.10"
"""As the extra ``video`` has it."""


def opencv() -> ModuleType:
    """Return the library that reads videos.

    Raises:
        Unavailable: with the line that installs it.
    """
    try:
        return importlib.import_module("cv2")
    except ImportError:
        raise Unavailable(
            "Videos and cameras need OpenCV, which is not installed.",
            hint=missing_hint([_REQUIREMENT]),
        ) from None


class VideoDataset:
    """Dataset with one sample for each chosen frame; a file is read from start to end.

    Args:
        files: In the order of the frames.
        limit: Most frames to use, spread evenly over all files.
    """

    def __init__(
        self, files: Sequence[Path], value: Value, preprocess: Preprocess, limit: int | None
    ) -> None:
        """Count the frames, as the files say.

        Raises:
            Unavailable: when OpenCV is not installed.
            InvalidData: when a file cannot be opened, or none has a frame.
        """
        self._cv2 = opencv()
        self._files, self._input, self._preprocess = tuple(files), value, preprocess
        counts = [self._count(file) for file in files]
        if not sum(counts):
            raise InvalidData(f"{files[0].name} has no frame that can be read.")
        self._starts = [0, *accumulate(counts)]
        self._indices = spread(sum(counts), limit)

    @property
    def blue_first(self) -> bool:
        """Whether the model takes blue, green and red in this order."""
        return self._preprocess.color == "BGR"

    def __len__(self) -> int:
        return len(self._indices)

    def __iter__(self) -> Iterator[Sample]:
        for position, file in enumerate(self._files):
            start, end = self._starts[position], self._starts[position + 1]
            wanted = [index - start for index in self._indices if start <= index < end]
            yield from self._samples(file, wanted)

    def _samples(self, file: Path, wanted: Sequence[int]) -> Iterator[Sample]:
        due = set(wanted)
        with self._opened(file) as capture:
            for index in range(wanted[-1] + 1 if wanted else 0):
                if not capture.grab():
                    return  # the file said that it were longer
                if index not in due:
                    continue
                done, pixels = capture.retrieve()
                if not done:
                    raise InvalidData(f"Frame {index + 1} of {file.name} cannot be decoded.")
                name = f"{file.name}, frame {index + 1}"
                picture = self._cv2.cvtColor(pixels, self._cv2.COLOR_BGR2RGB)
                array = conform(self._preprocess.apply(picture), self._input, name)
                yield Sample({self._input.name: array}, None, name)

    def _count(self, file: Path) -> int:
        with self._opened(file) as capture:
            count = int(capture.get(self._cv2.CAP_PROP_FRAME_COUNT))
            if count > 0:
                return count
            count = 0
            while capture.grab():  # some containers do not say
                count += 1
            return count

    @contextmanager
    def _opened(self, file: Path) -> Iterator[Any]:
        capture = self._cv2.VideoCapture(str(file), self._cv2.CAP_FFMPEG)
        try:
            if not capture.isOpened():
                raise InvalidData(
                    f"{file.name} cannot be opened as a video: it is damaged or of another kind."
                )
            yield capture
        finally:
            capture.release()
