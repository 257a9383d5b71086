"""Fields of a JSON request, read with their types and limits."""

from __future__ import annotations

import json
import math
from typing import Dict, List, Mapping, Optional, Set, Tuple

from ...http.message import Body
from .errors import BadField

Document = Mapping[str, object]

_MOST_STOPS = 16
_LONGEST_STOP = 200
_MOST_BIASED = 1024
_MOST_BIAS = 100.0
_LARGEST_SEED = 2**63 - 1


def read_document(body: Body) -> Document:
    """Return the object in a body.

    Raises:
        BadField: when it has no object.
    """
    try:
        found = json.loads(bytes(body).decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise BadField("", "The body is not a JSON object in UTF-8.") from None
    if not isinstance(found, dict):
        raise BadField("", "The body is not a JSON object in UTF-8.")
    return found


def _no_number(text: str) -> float:
    raise ValueError(text)


class Fields:
    """The fields of a request, and which of them were never read."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._known: Set[str] = set()

    def ignored(self) -> Tuple[str, ...]:
        """Return the fields that were never read, short and in order, for the log."""
        rest = sorted(set(self._document) - self._known)
        return tuple(name[:40] for name in rest[:20])

    def get(self, name: str) -> object:
        """Return a value as it is; None where it is missing or null."""
        self._known.add(name)
        return self._document.get(name)

    def text(self, name: str, default: str = "") -> str:
        """Return a text."""
        found = self.get(name)
        if found is None:
            return default
        if not isinstance(found, str):
            raise BadField(name, "{} is a text.".format(name))
        return found

    def number(self, name: str, least: float, most: float, default: float) -> float:
        """Return a number within limits."""
        found = self.get(name)
        if found is None:
            return default
        number = isinstance(found, (int, float)) and not isinstance(found, bool)
        if not number or not _within(found, least, most):  # type: ignore[arg-type]
            raise BadField(name, "{} is a number from {:g} to {:g}.".format(name, least, most))
        return float(found)  # type: ignore[arg-type]

    def whole(
        self, name: str, least: int, most: int, default: Optional[int] = None
    ) -> Optional[int]:
        """Return a whole number within limits."""
        found = self.get(name)
        if found is None:
            return default
        if not isinstance(found, int) or isinstance(found, bool) or not least <= found <= most:
            sentence = "{} is a whole number from {} to {}.".format(name, least, most)
            raise BadField(name, sentence)
        return found

    def flag(self, name: str) -> bool:
        """Return a boolean; false where it is missing."""
        found = self.get(name)
        if found is None:
            return False
        if not isinstance(found, bool):
            raise BadField(name, "{} is true or false.".format(name))
        return found

    def part(self, name: str) -> Document:
        """Return an object; empty where it is missing."""
        found = self.get(name)
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise BadField(name, "{} is an object.".format(name))
        return found

    def objects(self, name: str, most: int) -> List[Document]:
        """Return a list of objects; empty where it is missing."""
        found = self.get(name)
        if found is None:
            return []
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise BadField(name, "{} is a list of objects.".format(name))
        if len(found) > most:
            raise BadField(name, "{} has at most {} entries.".format(name, most))
        return found

    def stops(self, name: str = "stop") -> Tuple[str, ...]:
        """Return stop words: one, or a list of them."""
        found = self.get(name)
        if found is None:
            return ()
        words = found if isinstance(found, list) else [found]
        good = len(words) <= _MOST_STOPS and all(
            isinstance(one, str) and 0 < len(one) <= _LONGEST_STOP for one in words
        )
        if not good:
            sentence = "{} is a text or a list of up to {}, each of up to {} characters."
            raise BadField(name, sentence.format(name, _MOST_STOPS, _LONGEST_STOP))
        return tuple(str(one) for one in words)

    def seed(self) -> Optional[int]:
        """Return the seed of the random numbers; None for another with each request."""
        found = self.whole("seed", -_LARGEST_SEED, _LARGEST_SEED)
        return None if found is None else found % (_LARGEST_SEED + 1)

    def biases(self, vocabulary: int) -> Mapping[int, float]:
        """Return what is added to the scores of tokens."""
        name = "logit_bias"
        sentence = "{} gives numbers from -100 to 100 to tokens below {}.".format(name, vocabulary)
        found: Dict[int, float] = {}
        part = self.part(name)
        if len(part) > _MOST_BIASED:
            raise BadField(name, "{} has at most {} entries.".format(name, _MOST_BIASED))
        for key, value in part.items():
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            token = int(key) if key.isascii() and key.isdigit() and len(key) < 10 else vocabulary
            if not number or token >= vocabulary or not _within(value, -_MOST_BIAS, _MOST_BIAS):  # type: ignore[arg-type]
                raise BadField(name, sentence)
            found[token] = float(value)  # type: ignore[arg-type]
        return found


def _within(value: float, least: float, most: float) -> bool:
    try:
        return math.isfinite(value) and least <= value <= most
    except OverflowError:  # a whole number beyond every float
        return False
