"""The choice of a metric, and the two streams that it reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import pytest

from studio.api import Array, Feeds, InvalidData, Sample, Silent, UsageError
from studio.evaluation.judge import Evaluator, dictionary_for
from studio.plugin_host import PluginHost


class Samples:
    """A dataset in memory that counts how many samples were taken."""

    def __init__(self, labels: Sequence[int | str | None]) -> None:
        self._labels = labels
        self.taken = 0

    def __len__(self) -> int:
        return len(self._labels)

    def __iter__(self) -> Iterator[Sample]:
        for index, label in enumerate(self._labels):
            self.taken += 1
            yield Sample({"x": numpy.array([[index]])}, label, f"#{index}")


class Echo:
    """A session that gives its input as output."""

    input_names = output_names = ("x",)

    def run(self, feeds: Feeds, outputs: Sequence[str] | None = None) -> dict[str, Array]:
        return dict(feeds)

    def close(self) -> None:
        """Nothing to free."""


class Recorder:
    """A metric that reads its streams as it was told, and keeps what it saw."""

    id = "recorder"
    title = "Recorder"
    unit = ""
    higher_is_better = False
    options = ()

    def __init__(self, labels_first: bool) -> None:
        self.labels_first = labels_first
        self.seen: list[tuple[int, Any]] = []

    def score(
        self,
        outputs: Iterable[Mapping[str, Array]],
        labels: Iterable[int | str],
        options: Mapping[str, Any],
    ) -> float:
        if self.labels_first:
            pairs = ((output, label) for label, output in zip(list(labels), outputs, strict=True))
        else:
            pairs = zip(outputs, labels, strict=True)
        self.seen = [(int(output["x"][0, 0]), label) for output, label in pairs]
        return 0.0


@pytest.mark.parametrize("labels_first", [True, False])
def test_outputs_and_labels_belong_together(labels_first: bool) -> None:
    metric = Recorder(labels_first)
    Evaluator(metric, {}).score(Echo(), Samples(["a", "b", "c"]), Silent())
    assert metric.seen == [(0, "a"), (1, "b"), (2, "c")]


def test_a_sample_without_label() -> None:
    with pytest.raises(InvalidData, match="Sample #1 has no label"):
        Evaluator(Recorder(False), {}).score(Echo(), Samples(["a", None]), Silent())


def test_drop_is_a_loss_whatever_the_direction() -> None:
    judge = Evaluator(Recorder(False), {})
    assert judge.drop(0.1, 0.3) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("wanted", "label", "dictionary", "chosen"),
    [
        ("auto", 3, False, "top1"),
        ("auto", "text", True, "exact"),
        ("auto", None, True, None),
        ("none", 3, False, None),
        ("cer", "text", True, "cer"),
    ],
)
def test_choice(
    tmp_path: Path, wanted: str, label: int | str | None, dictionary: bool, chosen: str | None
) -> None:
    file = tmp_path / "dictionary.txt"
    judge = Evaluator.choose(
        PluginHost.discover(), wanted, Samples([label, label]), file if dictionary else None
    )
    assert (judge.metric.id if judge else None) == chosen


def test_texts_without_a_dictionary_are_never_passed_over_in_silence() -> None:
    with pytest.raises(UsageError, match="'Milch 2 L', and the model's dict") as raised:
        Evaluator.choose(PluginHost.discover(), "auto", Samples(["Milch 2 L"]), None)
    assert "--dictionary FILE" in raised.value.hint
    assert "--metric none" in raised.value.hint


@pytest.mark.parametrize("metric", ["top1", "top5", "f1", "auc"])
def test_class_names_are_refused_before_the_work(metric: str) -> None:
    with pytest.raises(InvalidData, match=f"{metric} needs class numbers as labels, but 'cat' is"):
        Evaluator.choose(PluginHost.discover(), metric, Samples(["cat"]), None)


def test_a_text_metric_without_characters() -> None:
    with pytest.raises(UsageError, match="needs the characters of the model"):
        Evaluator.choose(PluginHost.discover(), "cer", Samples(["a"]), None)


def test_the_dictionary_beside_the_data(tmp_path: Path) -> None:
    assert dictionary_for(tmp_path, None) is None
    (tmp_path / "dictionary.txt").write_text("a\n")
    assert dictionary_for(tmp_path, None) == tmp_path / "dictionary.txt"
    assert dictionary_for(tmp_path / "d.npz", None) == tmp_path / "dictionary.txt"
    assert dictionary_for(tmp_path, Path("/other.txt")) == Path("/other.txt")
