"""Step that compares the text of each object with a list, such as price labels with prices."""

from __future__ import annotations

import csv
import re
from collections import Counter
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from ..items import OBJECTS, TRACKS, VALUES, Event, FrameStamp, Objects, StepOutput
from ..parts import AppContext, StepType, kinds
from ..settings import AppError
from .places import checked_seconds
from .stable_value import StableValue

_MOST_ROWS = 100_000
_LOOK_ALIKE = str.maketrans({"l": "1", "I": "1", "|": "1", "O": "0", "o": "0", ",": "."})
_WORD = re.compile(r"\S*\d\S*")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_GROUPS = re.compile(r"(\d)[ '](?=\d{3}(?!\d))")

OK, DIFFERS = "ok", "differs"


class CompareSettings(NamedTuple):
    """Settings of a comparison.

    Attributes:
        file: CSV file of the app, with a line of names at its top.
        event: First half of the kinds of events: ``price`` gives ``price-ok`` and
            ``price-differs``.
        key: Column with the labels of objects; empty: the first.
        column: Column with what their texts should be; empty: the second.
        detail: Detail of an object that is its text.
        numbers: Compare as numbers: ``l`` is read as 1, ``O`` as 0, a comma as a point.
        for_s: Seconds for which a text must be the same before it counts.
    """

    file: str
    event: str = "text"
    key: str = ""
    column: str = ""
    detail: str = "text"
    numbers: bool = False
    for_s: float = 0.0


class Compare:
    """Compares the texts of objects with those of a list, by the labels of the objects.

    One event when a text differs, or differs in another respect than before, and one when it is
    right once more. An object without a text, and one that the list lacks, keeps its result.
    Values: the number of objects with each result.
    """

    def __init__(self, name: str, settings: CompareSettings, context: AppContext) -> None:
        """Read the list.

        Raises:
            AppError: in one sentence, when it cannot be used.
        """
        place = "steps." + name
        checked_seconds(place, "for_s", settings.for_s)
        self._name = name
        self._settings = settings
        path = context.file(settings.file)
        try:
            rows = read_list(path, settings.key, settings.column)
        except (OSError, ValueError, csv.Error) as error:
            sentence = "{}: {} cannot be used: {}."
            raise AppError(sentence.format(place, settings.file, error)) from None
        self._wanted = {key: self._plain(text) or "" for key, text in rows.items()}
        wrong = [key for key, text in self._wanted.items() if not text]
        if wrong:
            sentence = "{}: {} has no text to compare for {}."
            raise AppError(sentence.format(place, settings.file, wrong[0]))
        self._seen: Dict[str, StableValue[str]] = {key: StableValue() for key in self._wanted}
        self._results: Dict[str, str] = {}

    def process(self, stamp: FrameStamp, value: Any) -> StepOutput:
        """Compare the objects of one frame."""
        objects: Objects = value
        events: List[Event] = []
        for number, label in enumerate(objects.labels):
            text = str(objects.detail(number).get(self._settings.detail, ""))
            read = self._plain(text)
            seen = self._seen.get(label)
            if seen is None or not read or not seen.see(read, stamp.time, self._settings.for_s):
                continue
            events += self._result(stamp, label, text, read)
        counts = Counter(self._results.values())
        return StepOutput({OK: float(counts[OK]), DIFFERS: float(counts[DIFFERS])}, tuple(events))

    def _result(self, stamp: FrameStamp, label: str, text: str, read: str) -> Tuple[Event, ...]:
        wanted = self._wanted[label]
        before, now = self._results.get(label), OK if read == wanted else DIFFERS
        self._results[label] = now
        if now == OK and before in (None, OK):
            return ()
        details = {"label": label, "text": text, "value": read, "expected": wanted}
        kind = "{}-{}".format(self._settings.event, now)
        return (Event(kind, self._name, stamp, details),)

    def _plain(self, text: str) -> Optional[str]:
        """Return a text as it is compared; None for one that is no number but should be."""
        if not self._settings.numbers:
            return " ".join(text.split())
        return number_in(text)


def number_in(text: str) -> Optional[str]:
    """Return the number in a text that was read: ``2.49`` of ``2,49 €``.

    In a word with a digit, characters that recognisers confuse with digits count as digits and a
    comma as a point. Zeros at the end are left out. None for a text without one number.
    """
    plain = _WORD.sub(lambda word: word.group().translate(_LOOK_ALIKE), text)
    plain = _GROUPS.sub(r"\1", plain)
    found = _NUMBER.findall(plain)
    if len(found) != 1:
        return None
    whole, _, rest = found[0].partition(".")
    rest = rest.rstrip("0")
    return (whole.lstrip("0") or "0") + ("." + rest if rest else "")


def read_list(path: str, key: str = "", column: str = "") -> Dict[str, str]:
    """Return two columns of a CSV file: texts by their keys.

    Args:
        key, column: Their names; empty: the first and the second.

    Raises:
        OSError: when it cannot be read.
        ValueError: in words for people, for a file without these columns, or too long a one.
    """
    found: Dict[str, str] = {}
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        names = next(rows, [])
        places = [_place(names, key, 0), _place(names, column, 1)]
        for row in rows:
            if len(found) >= _MOST_ROWS:
                raise ValueError("it has more than {:,} lines".format(_MOST_ROWS))
            if row and max(places) < len(row):
                found[row[places[0]].strip()] = row[places[1]].strip()
    return found


def _place(names: List[str], name: str, usual: int) -> int:
    plain = [one.strip() for one in names]
    if name and name in plain:
        return plain.index(name)
    if name or usual >= len(names):
        raise ValueError("it has no column {!r}".format(name or usual + 1))
    return usual


TYPES: Dict[str, StepType] = {
    "compare": StepType(
        "compare",
        "Compare the text of each object with a list",
        kinds(OBJECTS, TRACKS),
        kinds(VALUES),
        CompareSettings,
        Compare,
    )
}
