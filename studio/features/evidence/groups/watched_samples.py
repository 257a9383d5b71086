"""Samples whose attributes are taken while a model reads them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import numpy

from studio.api import Dataset, Feeds, Sample, Value
from studio.datasets.images import ImageFolder, Picture
from studio.features.evidence.groups.attributes import OF_LABELS, OF_PICTURES, Pixels, picture_of


class WatchedSamples:
    """A dataset that keeps the attributes of each sample that was read.

    Attributes of pictures are those of the decoded picture where the samples are picture files,
    else of the model's input.

    Attributes:
        numbers: Numbers of each sample by attribute, in the order of the data.
        names: Names of the samples.
        contradiction: Two samples of equal content with different labels; empty without any.
    """

    def __init__(self, dataset: Dataset, wanted: Sequence[str], inputs: Sequence[Value]) -> None:
        self._of_pictures = [one for one in wanted if one in OF_PICTURES]
        self._of_labels = [one for one in wanted if one in OF_LABELS]
        self._inputs = tuple(inputs)
        self._decoded = isinstance(dataset, ImageFolder) and bool(self._of_pictures)
        if isinstance(dataset, ImageFolder) and self._decoded:
            dataset = dataset.changing(self._keep)
        self._dataset = dataset
        self._begin()

    def _begin(self) -> None:
        self.numbers: dict[str, list[float]] = {
            one: [] for one in (*self._of_pictures, *self._of_labels)
        }
        self.names: list[str] = []
        self.contradiction: tuple[str, ...] = ()
        self._seen: dict[bytes, tuple[str, object]] = {}

    def __len__(self) -> int:
        return len(self._dataset)

    def __iter__(self) -> Iterator[Sample]:
        self._begin()
        for index, sample in enumerate(self._dataset):
            name = sample.name or f"#{index}"
            self.names.append(name)
            if self._of_pictures and not self._decoded:
                self._measure(picture_of(sample.feeds, self._inputs[0]))
            for one in self._of_labels:
                self.numbers[one].append(OF_LABELS[one](sample.label))
            self._compare(sample.feeds, name, sample.label)
            yield sample

    def _keep(self, name: str, picture: Picture) -> Picture:
        self._measure(picture.astype(numpy.float64))
        return picture

    def _measure(self, pixels: Pixels) -> None:
        for one in self._of_pictures:
            self.numbers[one].append(OF_PICTURES[one](pixels))

    def _compare(self, feeds: Feeds, name: str, label: object) -> None:
        digest = hashlib.sha256()
        for key, array in feeds.items():
            digest.update(f"{key}{array.shape}{array.dtype}".encode())
            digest.update(numpy.ascontiguousarray(array).tobytes())
        first, known = self._seen.setdefault(digest.digest(), (name, label))
        if known != label and not self.contradiction:
            self.contradiction = (first, name)
