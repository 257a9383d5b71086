"""Held-out data: samples that no choice has used, for the metric that is reported."""

from __future__ import annotations

from studio.api import Dataset, Progress, Session
from studio.evaluation.judge import Evaluator
from studio.evaluation.results import HeldoutValue
from studio.lazy_dataclass import dataclass
from studio.plugin_host import PluginHost


@dataclass(frozen=True, slots=True)
class Heldout:
    """Held-out data as far as the metric can use it.

    Attributes:
        data: None without usable samples.
        note: Why given data is not used; empty where it is.
    """

    data: Dataset | None = None
    note: str = ""

    @classmethod
    def of(cls, data: Dataset | None, judge: Evaluator | None, host: PluginHost) -> Heldout:
        """Return what a metric can use, before the long work begins.

        Samples without labels are enough to try a model out, so a project may hold out such ones:
        they are left out with a note.

        Raises:
            InvalidData: for labels that do not suit the metric.
        """
        if data is None or judge is None or judge.by_reference:
            return cls(data)
        if not _has_labels(data):
            return cls(
                note="The held-out data has no labels. The metric is from the evaluation data."
            )
        if judge.boxes is None:
            Evaluator.choose(host, judge.metric.id, data, judge.dictionary)
        return cls(data)

    def parts(self) -> tuple[Dataset | None, list[str]]:
        """Return the usable samples, and the notes about them."""
        return self.data, [self.note] if self.note else []

    def scored(self, session: Session, judge: Evaluator, progress: Progress) -> HeldoutValue | None:
        """Return the metric on the samples; None without any."""
        if self.data is None:
            return None
        value = judge.on(self.data).score(session, self.data, progress)
        return HeldoutValue(value, len(self.data))


def labelled(judged: Dataset | None, kept: Dataset | None, search: bool) -> Dataset | None:
    """Return the data whose labels decide on the metric.

    Args:
        judged: The evaluation data, or else the calibration data.
        kept: The held-out data.
        search: Whether layers are chosen by the metric, for which no held-out sample may be used.
    """
    if judged is None or (kept is not None and not search and not _has_labels(judged)):
        return kept
    return judged


def _has_labels(data: Dataset) -> bool:
    return next((sample.label for sample in data), None) is not None
