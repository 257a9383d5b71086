"""Metrics of text recognisers trained with connectionist temporal classification (CTC)."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy

from studio.api import Array, InvalidData, Kind, Option, Truth, validate
from studio_metrics.outputs import OUTPUT, labelled

_OPTIONS: tuple[Option, ...] = (
    Option(
        "dictionary",
        Kind.FILE,
        required=True,
        help="Text file with the characters in class order, one per line.",
    ),
    Option("blank", Kind.INTEGER, default=0, minimum=0, advanced=True, help="The blank's class."),
    OUTPUT,
)


class ExactMatch:
    """The share of texts that are read without a single error (0 to 1)."""

    id = "exact"
    title = "Exact match"
    unit = ""
    higher_is_better = True
    options: Sequence[Option] = _OPTIONS

    def each(
        self,
        outputs: Iterable[Mapping[str, Array]],
        labels: Iterable[Truth],
        options: Mapping[str, Any],
    ) -> Iterator[float]:
        for read, wanted in _read(outputs, labels, options):
            yield float(read == wanted)

    def score(
        self,
        outputs: Iterable[Mapping[str, Array]],
        labels: Iterable[Truth],
        options: Mapping[str, Any],
    ) -> float:
        right = list(self.each(outputs, labels, options))
        return sum(right) / len(right)


class CharacterErrorRate:
    """Insertions, deletions and substitutions for each character of the labels (0 is perfect)."""

    id = "cer"
    title = "Character error rate"
    unit = ""
    higher_is_better = False
    options: Sequence[Option] = _OPTIONS

    def each(
        self,
        outputs: Iterable[Mapping[str, Array]],
        labels: Iterable[Truth],
        options: Mapping[str, Any],
    ) -> Iterator[float]:
        """Yield the share of each text that is right, from 0 (all letters wrong) to 1."""
        for read, wanted in _read(outputs, labels, options):
            yield max(0.0, 1 - distance(read, wanted) / max(len(wanted), 1))

    def score(
        self,
        outputs: Iterable[Mapping[str, Array]],
        labels: Iterable[Truth],
        options: Mapping[str, Any],
    ) -> float:
        errors = characters = 0
        for read, wanted in _read(outputs, labels, options):
            errors += distance(read, wanted)
            characters += len(wanted)
        if not characters:
            raise InvalidData("There are no labelled characters to score.")
        return errors / characters


def decode(scores: Array, alphabet: Sequence[str], blank: int) -> str:
    """Return the most likely path without repetitions and blanks.

    Args:
        scores: Steps × classes, with any axes of one in front.
        alphabet: Each class's character.

    Raises:
        InvalidData: when the classes are not those of the alphabet.
    """
    if scores.ndim < 2 or scores.size != scores.shape[-2] * scores.shape[-1]:
        shape = "×".join(map(str, scores.shape))
        raise InvalidData(f"A text needs steps × classes as output, but its shape is {shape}.")
    steps = scores.reshape(scores.shape[-2:])
    best = steps.argmax(axis=-1)
    changes = numpy.insert(best[1:] != best[:-1], 0, True)
    return "".join(alphabet[index] for index in best[changes] if index != blank)


def distance(first: str, second: str) -> int:
    """Return the edit distance (Levenshtein) of two texts."""
    row = list(range(len(second) + 1))
    for i, left in enumerate(first, 1):
        diagonal, row[0] = row[0], i
        for j, right in enumerate(second, 1):
            cost = diagonal + (left != right)
            diagonal, row[j] = row[j], min(cost, row[j] + 1, row[j - 1] + 1)
    return row[-1]


def alphabet(characters: Sequence[str], classes: int, blank: int) -> list[str]:
    """Return the character of each class: the dictionary with blank and, if missing, space.

    Raises:
        InvalidData: when the dictionary is for another number of classes.
    """
    found = list(characters)
    if len(found) == classes - 2:
        found.append(" ")  # dictionaries of one character a line seldom list the space
    if len(found) == classes - 1:
        found.insert(blank, "")
    if len(found) != classes:
        raise InvalidData(
            f"The dictionary has {len(characters)} characters, "
            f"but the model has {classes} classes.",
            hint="Use the dictionary that the model was trained with.",
        )
    return found


def _read(
    outputs: Iterable[Mapping[str, Array]],
    labels: Iterable[Truth],
    options: Mapping[str, Any],
) -> Iterator[tuple[str, str]]:
    """Yield pairs of the predicted and the expected text."""
    values = validate(_OPTIONS, options)
    characters = _characters(Path(values["dictionary"]))
    known: list[str] = []
    for scores, label in labelled(outputs, labels, values["output"]):
        if not known:
            known = alphabet(characters, scores.shape[-1] if scores.ndim else 0, values["blank"])
        yield decode(scores, known, values["blank"]), str(label)


def _characters(path: Path) -> Sequence[str]:
    return _lines(path, path.stat().st_mtime_ns if path.is_file() else 0)


@functools.lru_cache(maxsize=4)
def _lines(path: Path, _changed: int) -> Sequence[str]:
    """Return the dictionary's lines, cached because a metric may run once per sample."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidData(
            f"The dictionary {path.name} cannot be read.", detail=str(error)
        ) from None
    # Not splitlines: a dictionary may list characters that count as line ends there.
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines
