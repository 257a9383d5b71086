"""Label maps: the class of a model for each label that its data has."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from studio.api import InvalidData
from studio.lazy_dataclass import dataclass

MOST_BYTES = 1024 * 1024
_MOST_CLASS = 10**9
_SEPARATORS = " \t,=:"
_DIGITS = "0123456789"
_QUOTED = 40
"""Most characters of a label in a message."""

_FORM = "Each line is LABEL,CLASS; a .json file is one object of labels with their classes."


@dataclass(frozen=True, slots=True)
class LabelMap:
    """The class of each label of the data, whose numbers or names are not those of the model.

    Attributes:
        file: The name of the file, for messages.
        classes: Classes by label; a label that is a number is its decimal text.
    """

    file: str
    classes: Mapping[str, int]

    @classmethod
    def read(cls, path: Path) -> LabelMap:
        """Read a text file with a label and its class on each line, or a JSON object.

        Raises:
            InvalidData: when it cannot be read, or gives a label twice or no class.
        """
        text = _text(path)
        pairs = _json_pairs(text, path) if path.suffix.lower() == ".json" else _lines(text, path)
        classes: dict[str, int] = {}
        for label, number in pairs:
            if label in classes:
                raise InvalidData(f"{path.name} has the label {_quoted(label)} more than once.")
            classes[label] = number
        if not classes:
            raise InvalidData(f"{path.name} is empty.", hint=_FORM)
        return cls(path.name, classes)

    def check(self, classes: int | None) -> None:
        """Compare the map with the number of the model's classes; None where that is open.

        Raises:
            InvalidData: for a class that the model does not have.
        """
        if classes is None or classes <= 1:  # one score has two classes
            return
        beyond = ((label, one) for label, one in self.classes.items() if one >= classes)
        for label, number in beyond:
            raise InvalidData(
                f"{self.file} maps {_quoted(label)} to class {number}, and the model has "
                f"{classes:,} classes.",
                hint="Classes count from 0.",
            )

    def apply(self, labels: Sequence[int | str]) -> list[int]:
        """Return the class of each label.

        Raises:
            InvalidData: for labels that the map does not have.
        """
        distinct = list(dict.fromkeys(map(str, labels)))
        missing = [label for label in distinct if label not in self.classes]
        if missing:
            raise InvalidData(
                f"{self.file} has no class for {len(missing):,} of {len(distinct):,} labels of "
                f"the data, the first of them {_quoted(missing[0])}.",
                hint=f"Add a line for each label. {_FORM}",
            )
        return [self.classes[str(label)] for label in labels]


def _text(path: Path) -> str:
    if not path.is_file():  # a pipe would never end
        raise InvalidData(f"{path} is not a file.")
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise InvalidData(f"{path.name} is larger than {MOST_BYTES // 1024:,} KB.")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidData(f"{path.name} is not UTF-8 text.") from None
    except OSError as error:
        raise InvalidData(f"{path.name} cannot be read: {error.strerror or error}.") from None


def _lines(text: str, path: Path) -> Iterator[tuple[str, int]]:
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        front = line.rstrip(_DIGITS)
        label = front.rstrip(_SEPARATORS)
        if len(front) == len(line) or label in ("", front):
            raise InvalidData(
                f"{path.name}, line {number}: {_quoted(line)} does not end in a class number.",
                hint=_FORM,
            )
        yield label, _class(line[len(front) :], label, path)


def _json_pairs(text: str, path: Path) -> Iterator[tuple[str, int]]:
    try:  # an object is a list of pairs here: one as a dict would lose what is there twice
        found = json.loads(text, object_pairs_hook=tuple, parse_int=str)
    except (ValueError, RecursionError) as error:
        raise InvalidData(f"{path.name} cannot be read as JSON: {error}.") from None
    if not isinstance(found, tuple):
        raise InvalidData(f"{path.name} is not a JSON object.", hint=_FORM)
    for label, value in _pairs(found):
        yield label, _class(value, label, path)


def _pairs(found: Iterable[object]) -> Iterator[tuple[str, object]]:
    for pair in found:
        if isinstance(pair, tuple):
            yield str(pair[0]), pair[1]


def _class(value: object, label: str, path: Path) -> int:
    """Return a class; as text, for ``true`` and ``1.0`` are none."""
    digits = value if isinstance(value, str) and value.isascii() and value.isdigit() else ""
    if not digits or len(digits) > len(str(_MOST_CLASS)) or int(digits) >= _MOST_CLASS:
        shown = _quoted(value) if isinstance(value, str) else "its value"
        raise InvalidData(
            f"{path.name} gives the label {_quoted(label)} no class: {shown} is not a class "
            "number.",
            hint="Give the number of the class in the model's output, from 0.",
        )
    return int(digits)


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…")
