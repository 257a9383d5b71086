"""The samples to explain, found by number or name, with others as a background."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from studio.api import Dataset, InvalidData, Sample, UsageError
from studio.datasets.images import ImageFolder
from studio.datasets.text_lines import text_lines
from studio.datasets.video import VideoDataset
from studio.evaluation.loaded_model import LoadedModel
from studio.features.evidence.explanations.rows_file import SUFFIX, RowsFile
from studio.lazy_dataclass import dataclass

MOST = 16
"""Most samples of one run."""

_COMPARED, _COMPARED_ROWS = 32, 256
_AVERAGED, _SMALL = 10_000, 1024
"""Most samples whose mean is the reference, and most elements of one of them."""
_QUOTED = 40


@dataclass(frozen=True, slots=True)
class ChosenSamples:
    """Samples to explain.

    Attributes:
        background: Samples of the data, spread evenly, which the reference is made of.
        candidates: The same, fewer, among which the most similar one of another class is chosen.
        names: Of the features of a row, where they are known.
        blue_first: Whether the channels of pictures are blue, green and red.
    """

    samples: tuple[Sample, ...]
    background: tuple[Sample, ...]
    candidates: tuple[Sample, ...]
    names: tuple[str, ...] = ()
    blue_first: bool = False

    @classmethod
    def read(
        cls, subject: LoadedModel, data: Path, wanted: Sequence[str], features: Path | None
    ) -> ChosenSamples:
        """Find the samples in the data.

        Args:
            wanted: Numbers from 0, or names; several may be in one text, with commas.
            features: A file with the names of the features, one per line.

        Raises:
            UsageError: for a sample that the data does not have.
            InvalidData: when the data does not fit the model.
        """
        names = tuple(text_lines(features))
        if data.suffix.lower() == SUFFIX and data.is_file():
            rows = RowsFile(data, subject.inputs, names)
            chosen = _found_rows(rows, _words(wanted))
            return cls(chosen, rows.spread(_AVERAGED), rows.spread(_COMPARED_ROWS), rows.names)
        dataset = subject.samples(data, None)
        samples = _found(dataset, _words(wanted))
        is_film = isinstance(dataset, (ImageFolder, VideoDataset))
        blue_first = isinstance(dataset, (ImageFolder, VideoDataset)) and dataset.blue_first
        candidates = tuple(subject.samples(data, _COMPARED))
        is_small = sum(one.size for one in samples[0].feeds.values()) <= _SMALL
        background = candidates
        if is_small and not is_film:
            background = tuple(subject.samples(data, _AVERAGED))
        return cls(samples, background, candidates, names, blue_first)


def _words(wanted: Sequence[str]) -> list[str]:
    words = [word.strip() for text in wanted for word in text.split(",") if word.strip()]
    if not words:
        raise UsageError(
            "The option --sample is empty.", hint="Give --sample NUMBER, counted from 0."
        )
    if len(words) > MOST:
        raise UsageError(f"{len(words)} samples are too many; one run explains up to {MOST}.")
    return list(dict.fromkeys(words))


def _found(dataset: Dataset, words: Sequence[str]) -> tuple[Sample, ...]:
    """Return the samples in the order of the words; the data is read no further than needed."""
    found: dict[str, Sample] = {}
    for number, sample in enumerate(dataset):
        for word in (str(number), sample.name):
            if word in words:
                found.setdefault(word, sample)
        if len(found) == len(words):
            break
    missing = next((word for word in words if word not in found), None)
    if missing is not None:
        raise _no_sample(missing, len(dataset))
    return tuple(found[word] for word in words)


def _found_rows(rows: RowsFile, words: Sequence[str]) -> tuple[Sample, ...]:
    """Return rows by their numbers; no other row has to be complete."""
    found = []
    for word in words:
        number = word.removeprefix("#")
        is_number = number.isascii() and number.isdigit() and len(number) < 10
        if not is_number or int(number) >= len(rows):
            raise _no_sample(word, len(rows))
        found.append(rows.sample(int(number)))
    return tuple(found)


def _no_sample(word: str, count: int) -> UsageError:
    return UsageError(
        f"The data has no sample {word[:_QUOTED]!r}; it has {count} samples.",
        hint=f"Give a number from 0 to {count - 1}, or the name of a sample.",
    )


def feature_names(names: Sequence[str], count: int) -> tuple[str, ...]:
    """Return a name for each feature.

    Raises:
        InvalidData: when there are names, and not one for each.
    """
    if not names:
        return tuple(f"feature {number}" for number in range(count))
    if len(names) != count:
        raise InvalidData(f"There are {len(names)} names for the {count} features of a row.")
    return tuple(names)
