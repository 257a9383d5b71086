"""The score of one object of a detector, for D-RISE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy

from studio.api import Array, InvalidModel, UsageError
from studio.features.evidence.explanations.methods.scorer import Floats
from studio.features.evidence.explanations.question import class_number
from studio.lazy_dataclass import dataclass
from studio.runtime.serve.decoders.decoder import Decoder
from studio.runtime.serve.decoders.detections import Detections
from studio.runtime.serve.decoders.settings import DETECTION, OutputSettings

_PROPOSALS = 0.05
"""Least score of a box that a masked picture may be compared by."""

_MOST_CLASSES = 100_000


@dataclass(frozen=True, slots=True)
class BoxScore:
    """The similarity of the boxes of a picture to one box.

    Petsiuk et al., "Black-box Explanation of Object Detectors via Saliency Maps", 2021: the largest
    product of overlap, likeness of the classes and score. Decoders give the likeliest class alone,
    so the likeness is 1 for the same class and 0 for another.

    Attributes:
        size: Height and width of the input.
        corners: Left, top, right and bottom of the box, in pixels of the input.
        index: Number of its class.
        label: Name of its class.
    """

    decoder: Decoder
    size: tuple[int, int]
    corners: tuple[float, float, float, float]
    index: int
    label: str

    def __call__(self, outputs: Mapping[str, Array]) -> Floats:
        """Return the similarity for each picture of a batch."""
        count = len(next(iter(outputs.values())))
        if count <= 1 or any(len(one) != count for one in outputs.values()):
            return numpy.array([self._of(outputs)])
        rows = ({name: one[i : i + 1] for name, one in outputs.items()} for i in range(count))
        return numpy.array([self._of(row) for row in rows])

    def _of(self, outputs: Mapping[str, Array]) -> float:
        found = self.decoder.objects(outputs, self.size, None).boxes
        same = found.chosen(found.classes == self.index)
        if not len(same.scores):
            return 0.0
        return float((overlaps(self.corners, same.corners) * same.scores).max())


def box_score(
    settings: OutputSettings,
    outputs: Mapping[str, Array],
    size: tuple[int, int],
    wanted: str,
    labels: Sequence[str],
) -> BoxScore:
    """Return the similarity to the likeliest box, of one class where it is named.

    Raises:
        InvalidModel: when the outputs do not have the form of the settings.
        UsageError: when the picture has no such box.
    """
    try:
        found = Decoder(settings).objects(outputs, size, None).boxes
    except ValueError as error:
        raise InvalidModel(f"The outputs do not fit the outputs.toml: {error}") from None
    index = class_number(wanted, labels, _MOST_CLASSES)
    found = found if index is None else found.chosen(found.classes == index)
    if not len(found.scores):
        of_class = f" of the class {wanted[:40]!r}" if wanted else ""
        raise UsageError(f"The model finds no object{of_class} in the sample.")
    lowered = settings._replace(threshold=min(_PROPOSALS, settings.threshold))
    return _of_first(found, Decoder(lowered), size, labels)


def _of_first(
    found: Detections, decoder: Decoder, size: tuple[int, int], labels: Sequence[str]
) -> BoxScore:
    left, top, right, bottom = (float(one) for one in found.corners[0])
    kind = int(found.classes[0])
    label = labels[kind] if 0 <= kind < len(labels) else str(kind)
    return BoxScore(decoder, size, (left, top, right, bottom), kind, label)


def is_detector(settings: OutputSettings | None) -> bool:
    """Return whether the outputs of a model are boxes."""
    return settings is not None and settings.task == DETECTION


def overlaps(box: Sequence[float], others: Floats) -> Floats:
    """Return the intersection over union of a box with others, n × 4."""
    one = numpy.asarray(box, dtype=numpy.float64)
    begin, end = numpy.maximum(one[:2], others[:, :2]), numpy.minimum(one[2:], others[:, 2:])
    shared = numpy.prod(numpy.clip(end - begin, 0, None), axis=1)
    areas = numpy.prod(numpy.clip(others[:, 2:] - others[:, :2], 0, None), axis=1)
    union = areas + numpy.prod(numpy.clip(one[2:] - one[:2], 0, None)) - shared
    found: Floats = numpy.where(union > 0, shared / numpy.where(union > 0, union, 1), 0.0)
    return found
