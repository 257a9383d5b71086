"""The quality of a model on labelled samples, by the metric of its task."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from studio.api import (
    Array,
    Dataset,
    Extension,
    InvalidData,
    Metric,
    Progress,
    Sample,
    Session,
    Truth,
    UsageError,
)
from studio.evaluation.box_reader import BoxReader, is_box_list
from studio.evaluation.session_pool import answers
from studio.lazy_dataclass import dataclass
from studio.plugin_host import PluginHost

_WITHOUT_LABELS = ("cosine", "sqnr")
"""Metrics that compare with the float model's outputs."""

_OF_CLASSES = ("top1", "top5", "f1", "auc")
"""Metrics whose labels are class numbers."""

_PRECISION = "map"
_OF_BOXES = ("box-f1", _PRECISION)
"""Metrics whose labels are boxes, the usual one first."""

_QUOTED = 40
"""Most characters of a label in a message."""

_NO_OUTPUTS = "The labels are boxes, and the meaning of the model's outputs is not set."
_SET_OUTPUTS = (
    "Run: studio project outputs MODEL. Where the outputs are boxes already: --metric box-f1"
)
_SET_DICTIONARY = (
    "Give --dictionary FILE, one character a line. --metric none skips the evaluation."
)

DICTIONARY = "dictionary.txt"
"""File of a text recogniser's characters next to the data."""


@dataclass(frozen=True, slots=True)
class Evaluator:
    """A metric with its options.

    Attributes:
        boxes: Reads the boxes of a detector whose outputs are not boxes yet; None for others.
    """

    metric: Metric
    options: Mapping[str, object]
    boxes: BoxReader | None = None

    @classmethod
    def choose(
        cls,
        host: PluginHost,
        wanted: str,
        dataset: Dataset,
        dictionary: Path | None,
        outputs: Path | None = None,
    ) -> Evaluator | None:
        """Return the requested metric; for ``auto`` the one for the labels, None without labels.

        Args:
            outputs: The ``outputs.toml`` of a detector, whose labels are boxes.

        Raises:
            UsageError: when the data or the options do not suit the requested metric, or the
                labels are texts and the dictionary is not known: never a silent "not evaluated".
            InvalidData: for class names where the metric needs class numbers.
            Unavailable: when no plugin offers the metric.
        """
        label = next((sample.label for sample in dataset), None)
        if wanted == "none" or (wanted == "auto" and label is None):
            return None
        if wanted in _WITHOUT_LABELS:
            return cls(host.get(Extension.METRIC, wanted), {})
        if label is None:
            raise UsageError(
                f"The metric {wanted} needs labels, and the data has none.",
                hint="Give --eval-data with labels, or --metric none.",
            )
        listed = label == "" or is_box_list(label, named=True)  # "": a picture without a box
        boxes = BoxReader.read(outputs, dataset) if listed else None
        if boxes is not None and wanted in ("auto", *_OF_BOXES):
            return cls._of_boxes(host, wanted, boxes)
        if wanted == "auto" and dictionary is None and is_box_list(label):
            raise UsageError(_NO_OUTPUTS, hint=_SET_OUTPUTS)
        if wanted == "auto":
            # Without the characters, a text recogniser's outputs cannot be decoded.
            if isinstance(label, str) and dictionary is None:
                raise UsageError(
                    f"The labels are texts, such as {label[:_QUOTED]!r}, and the model's "
                    "dictionary is not set.",
                    hint=_SET_DICTIONARY,
                )
            wanted = "exact" if isinstance(label, str) else "top1"
        if wanted in _OF_CLASSES and isinstance(label, str):
            raise InvalidData(
                f"The metric {wanted} needs class numbers as labels, but {label[:_QUOTED]!r} is a "
                "text.",
                hint="Give --label-map FILE with the class of each label, or class numbers as "
                "labels. --metric none skips the evaluation.",
            )
        metric: Metric = host.get(Extension.METRIC, wanted)
        options = {"dictionary": str(dictionary)} if dictionary is not None else {}
        known = {option.name: option for option in metric.options}
        if "dictionary" in known and known["dictionary"].required and not options:
            raise UsageError(
                f"The metric {wanted} needs the characters of the model.",
                hint=f"Give --dictionary FILE, or put {DICTIONARY} beside the data.",
            )
        return cls(metric, {name: value for name, value in options.items() if name in known})

    @classmethod
    def _of_boxes(cls, host: PluginHost, wanted: str, boxes: BoxReader) -> Evaluator:
        """Return a metric of boxes for a detector, with the least score of its settings."""
        wanted = _OF_BOXES[0] if wanted == "auto" else wanted
        metric: Metric = host.get(Extension.METRIC, wanted)
        read = boxes.with_unlikely() if wanted == _PRECISION else boxes
        return cls(metric, {"least_score": boxes.least_score}, read)

    def on(self, dataset: Dataset) -> Evaluator:
        """Return the same metric for other data."""
        return self if self.boxes is None else replace(self, boxes=self.boxes.on(dataset))

    def read(self, sample: Sample, outputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """Return what the metric is computed from: boxes for a detector, else the outputs.

        Raises:
            InvalidModel: when the outputs do not have the form of the ``outputs.toml``.
        """
        return outputs if self.boxes is None else self.boxes(sample, outputs)

    @property
    def dictionary(self) -> Path | None:
        """The characters of a text recogniser, for a metric that needs them."""
        path = self.options.get("dictionary")
        return Path(str(path)) if path else None

    @property
    def by_reference(self) -> bool:
        """Whether the metric compares with the outputs of the float model instead of labels."""
        return bool(getattr(self.metric, "reference", False))

    def score(
        self,
        session: Session,
        dataset: Dataset,
        progress: Progress,
        reference: Session | None = None,
    ) -> float:
        """Run all samples through a model and score what it gives.

        Raises:
            InvalidData: when a sample does not fit, or has no label.
        """
        return self.scored(session, dataset, progress, reference).value

    def scored(
        self,
        session: Session,
        dataset: Dataset,
        progress: Progress,
        reference: Session | None = None,
    ) -> Scored:
        """Return the score, with the value of each sample where the metric has one.

        Args:
            reference: The float model, for a metric that compares with it; without it, the
                session is the float model.
        """
        truth = None
        if self.by_reference:
            truth = reference or session
        run = _Run(session, dataset, progress, self, truth)
        value = self.metric.score(run.outputs(), run.labels(), self.options)
        return Scored(value, run.figures)

    def right(self, outputs: Mapping[str, Array], truth: Truth) -> float | None:
        """Return how right one answer is, or None if the metric has no values per sample."""
        each = getattr(self.metric, "each", None)
        if each is None:
            return None
        value: float = next(iter(each([outputs], [self.truth(truth)], self.options)))
        return value

    def truth(self, label: Truth) -> Truth:
        """Return what the metric compares with: the boxes of a label with numbers as classes."""
        if self.boxes is None or not isinstance(label, str):
            return label
        return self.boxes.numbered(label)

    def drop(self, before: float, after: float) -> float:
        """Return how much worse a score has become; negative when it is better."""
        return before - after if self.metric.higher_is_better else after - before


def dictionary_for(data: Path, given: Path | None) -> Path | None:
    """Return the file of characters: the given one, or the one next to the data."""
    if given:
        return given
    beside = (data if data.is_dir() else data.parent) / DICTIONARY
    return beside if beside.is_file() else None


@dataclass(frozen=True, slots=True)
class Scored:
    """A score, and the figure of each sample by its name."""

    value: float
    each: Mapping[str, float]

    def changed(self, after: Scored) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the names of the regressed samples, and of the improved ones."""
        pairs = [(name, one, after.each[name]) for name, one in self.each.items()]
        lost = tuple(name for name, before, now in pairs if now < before)
        return lost, tuple(name for name, before, now in pairs if now > before)


class _Run:
    """A pass over a dataset as two streams, outputs and labels, whichever is read first."""

    def __init__(
        self,
        session: Session,
        dataset: Dataset,
        progress: Progress,
        judge: Evaluator,
        truth: Session | None,
    ) -> None:
        self._judge, self._truth = judge, truth
        self.figures: dict[str, float] = {}
        self._session = session
        self._answers = enumerate(answers(session, dataset))
        self._total = len(dataset)
        self._progress = progress
        self._outputs: deque[Mapping[str, Array]] = deque()
        self._labels: deque[Truth] = deque()

    def outputs(self) -> Iterator[Mapping[str, Array]]:
        while self._outputs or self._advance():
            yield self._outputs.popleft()

    def labels(self) -> Iterator[Truth]:
        while self._labels or self._advance():
            yield self._labels.popleft()

    def _advance(self) -> bool:
        index, answer = next(self._answers, (0, None))
        if answer is None:
            return False
        self._progress.progress(index, self._total)
        sample, given = answer
        outputs = self._judge.read(sample, given)
        truth = self._right(sample, outputs)
        self._labels.append(truth)
        self._outputs.append(outputs)
        figure = self._judge.right(outputs, truth)
        if figure is not None:
            self.figures[sample.name or f"#{index}"] = figure
        return True

    def _right(self, sample: Sample, outputs: Mapping[str, Array]) -> Truth:
        """Return the label, or the output of the float model."""
        if self._truth is not None:
            return outputs if self._truth is self._session else self._truth.run(sample.feeds)
        if sample.label is None:
            raise InvalidData(f"Sample {sample.name} has no label.")
        return self._judge.truth(sample.label)
