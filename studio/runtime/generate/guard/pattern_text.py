"""Patterns in the spelling of Python's ``re``, as far as they can be searched in linear time."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Tuple

from .errors import GuardError

MOST_STATES = 400
LONGEST = 1000
_DEEPEST = 30
_LARGEST_COUNT = 200
_LAST = 0x10FFFF
_SPECIAL = frozenset("\\.[]()|*+?{}^$")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}
_KINDS = frozenset("dwsDWS")
_HEX = {"x": 2, "u": 4, "U": 8}
ENDLESS = 1 << 30


class CharSet(NamedTuple):
    r"""A set of characters.

    Attributes:
        ranges: Numbers of first and last characters.
        kinds: Letters of escapes such as ``\d`` that it has, too.
        negated: It has all others instead.
    """

    ranges: Tuple[Tuple[int, int], ...] = ()
    kinds: str = ""
    negated: bool = False

    def has(self, char: str) -> bool:
        """Return whether a character belongs to it."""
        code = ord(char)
        found = any(first <= code <= last for first, last in self.ranges)
        found = found or any(_is_kind(char, kind) for kind in self.kinds)
        return found != self.negated


ANY = CharSet(((10, 10),), "", True)


def is_word(char: str) -> bool:
    r"""Return whether a character belongs to words, as ``\w`` has it."""
    return char.isalnum() or char == "_"


def _is_kind(char: str, kind: str) -> bool:
    lower = kind.lower()
    found = char.isdecimal() if lower == "d" else is_word(char) if lower == "w" else char.isspace()
    return found == (kind == lower)


class Piece(NamedTuple):
    """A part of a pattern.

    Attributes:
        kind: ``set``, ``place`` (of no width), ``row``, ``choice`` or ``repeat``.
        place: ``^``, ``$``, ``b`` or ``B``.
        most: Of a repetition; None for any number.
    """

    kind: str
    chars: CharSet = CharSet()
    place: str = ""
    parts: Tuple[Piece, ...] = ()
    least: int = 1
    most: Optional[int] = 1

    @property
    def states(self) -> int:
        """States of its automaton."""
        inner = sum(part.states for part in self.parts)
        if self.kind == "repeat":
            if self.most is None:
                return (self.least + 1) * inner + 1
            return self.most * inner + self.most - self.least
        return inner + int(self.kind != "row")

    @property
    def longest(self) -> int:
        """Characters of its longest match."""
        if self.kind in ("set", "place"):
            return int(self.kind == "set")
        lengths = [part.longest for part in self.parts]
        if self.kind == "repeat":
            copies = ENDLESS if self.most is None else self.most
            return min(ENDLESS, lengths[0] * copies)
        return min(ENDLESS, max(lengths, default=0) if self.kind == "choice" else sum(lengths))


def parse(pattern: str, caseless: bool = False) -> Piece:
    """Return the parts of a pattern.

    Raises:
        GuardError: in one sentence, when it is none, is too large, or needs more than linear time.
    """
    if len(pattern) > LONGEST:
        raise GuardError("the pattern has more than {} characters".format(LONGEST))
    found = _PatternReader(pattern, caseless).read()
    if found.states > MOST_STATES:
        sentence = "the pattern needs {} states, and at most {} are allowed: shorten its counts"
        raise GuardError(sentence.format(found.states, MOST_STATES))
    return found


class _PatternReader:
    def __init__(self, pattern: str, caseless: bool) -> None:
        self._text = pattern
        self._place = 0
        self._depth = 0
        self._caseless = caseless

    def read(self) -> Piece:
        found = self._choice()
        if self._place < len(self._text):
            raise self._wrong("has a ) without its (")
        return found

    def _wrong(self, what: str) -> GuardError:
        return GuardError("the pattern {} (at its character {})".format(what, self._place + 1))

    def _peek(self) -> str:
        return self._text[self._place : self._place + 1]

    def _take(self) -> str:
        char = self._peek()
        if not char:
            raise self._wrong("ends too early")
        self._place += 1
        return char

    def _choice(self) -> Piece:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._wrong("is nested too deeply")
        rows = [self._row()]
        while self._peek() == "|":
            self._place += 1
            rows.append(self._row())
        self._depth -= 1
        return rows[0] if len(rows) == 1 else Piece("choice", parts=tuple(rows))

    def _row(self) -> Piece:
        parts: List[Piece] = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeated(self._atom()))
            if len(parts) > MOST_STATES:
                raise self._wrong("is too long")
        return Piece("row", parts=tuple(parts))

    def _atom(self) -> Piece:
        char = self._take()
        if char == "(":
            return self._group()
        if char == "[":
            return self._set(self._members())
        if char == "\\":
            return self._escape()
        if char == ".":
            return Piece("set", ANY)
        if char in "^$":
            return Piece("place", place=char)
        if char in "*+?{":
            self._place -= 1
            raise self._wrong("repeats nothing with {}".format(char))
        return self._literal(char)

    def _literal(self, char: str) -> Piece:
        return self._set(CharSet(((ord(char), ord(char)),)))

    def _set(self, chars: CharSet) -> Piece:
        if self._caseless:
            chars = chars._replace(ranges=tuple(_both_cases(chars.ranges)))
        return Piece("set", chars)

    def _group(self) -> Piece:
        if self._peek() == "?":
            if self._text[self._place : self._place + 2] != "?:":
                raise self._wrong("has a group (?...) that is not known here; (?:...) is")
            self._place += 2
        found = self._choice()
        if self._peek() != ")":
            raise self._wrong("has a ( without its )")
        self._place += 1
        return found

    def _escape(self) -> Piece:
        char = self._take()
        if char in "bB":
            return Piece("place", place=char)
        if char in _KINDS:
            return Piece("set", CharSet(kinds=char))
        return self._literal(self._escaped(char))

    def _escaped(self, char: str) -> str:
        if char in _ESCAPES:
            return _ESCAPES[char]
        if char in _HEX:
            digits = self._text[self._place : self._place + _HEX[char]]
            try:
                code = int(digits, 16) if len(digits) == _HEX[char] and digits.isalnum() else -1
            except ValueError:
                code = -1
            if not 0 <= code <= _LAST:
                raise self._wrong("has a wrong number of a character")
            self._place += _HEX[char]
            return chr(code)
        if char.isalnum():
            raise self._wrong("has the escape \\{}, which is not known here".format(char))
        return char

    def _members(self) -> CharSet:
        negated = self._peek() == "^"
        self._place += negated
        ranges: List[Tuple[int, int]] = []
        kinds = ""
        first = True
        while self._peek() != "]" or first:
            first = False
            char = self._take()
            if char == "\\" and self._peek() in _KINDS:
                kinds += self._take()
                continue
            low = self._escaped(self._take()) if char == "\\" else char
            high = low
            if self._peek() == "-" and self._text[self._place + 1 : self._place + 2] not in "]":
                self._place += 1
                high = self._take()
                high = self._escaped(self._take()) if high == "\\" else high
            if high < low:
                raise self._wrong("has a range that ends before it begins")
            ranges.append((ord(low), ord(high)))
        self._place += 1
        return CharSet(tuple(ranges), kinds, negated)

    def _repeated(self, piece: Piece) -> Piece:
        char = self._peek()
        if char not in ("*", "+", "?", "{"):
            return piece
        self._place += 1
        least, most = {"*": (0, None), "+": (1, None), "?": (0, 1), "{": (0, None)}[char]
        if char == "{":
            least, most = self._counts()
        if self._peek() == "?":  # a short match is a match, too
            self._place += 1
        if self._peek() in ("*", "+", "{"):
            raise self._wrong("repeats a repetition")
        if piece.kind == "place":
            raise self._wrong("repeats a place")
        return Piece("repeat", parts=(piece,), least=least, most=most)

    def _counts(self) -> Tuple[int, Optional[int]]:
        end = self._text.find("}", self._place)
        words = self._text[self._place : end].split(",") if end >= 0 else []
        digits = all(word.isdecimal() and len(word) < 5 for word in words if word)
        if not words or len(words) > 2 or not digits or not words[0]:
            raise self._wrong("has a count that is not {m}, {m,} or {m,n}")
        self._place = end + 1
        least = int(words[0])
        most = least if len(words) == 1 else int(words[1]) if words[1] else None
        if max(least, most or 0) > _LARGEST_COUNT or (most is not None and most < least):
            raise self._wrong("has a count above {} or out of order".format(_LARGEST_COUNT))
        return least, most


def _both_cases(ranges: Tuple[Tuple[int, int], ...]) -> List[Tuple[int, int]]:
    """Return ranges with the folded characters of theirs; large ones as they are."""
    found = list(ranges)
    for first, last in ranges:
        if last - first < 1024:
            for code in range(first, last + 1):
                folded = chr(code).casefold()
                if len(folded) == 1 and folded != chr(code):
                    found.append((ord(folded), ord(folded)))
    return found
