"""Search for a pattern in one walk over a text, in a bounded number of steps for each character.

All readings of the text so far are followed at the same time (Thompson 1968). The sets of readings
are kept, so that a set that was there before costs one look-up. A set has at most
``pattern_text.MOST_STATES`` readings: no text and no pattern makes a character cost more.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Dict, FrozenSet, List, NamedTuple, Optional, Tuple

from .folds import CASELESS, PATTERNS
from .pattern_text import CharSet, Piece, is_word, parse

_START, _WORD, _OTHER, _END = range(4)
_MOST_SETS = 1000
_MOST_CHARACTERS = 20_000
_ACCEPT = 0

_Place = Tuple[str, int]


class _State(NamedTuple):
    """A state of the automaton with what leads out of it.

    Attributes:
        chars: Its characters; None for a state that takes none.
        place: A place of no width that it needs; empty for none.
        following: Numbers of the states behind it.
    """

    chars: Optional[CharSet]
    place: str
    following: Tuple[int, ...]


class Readings:
    """A set of readings of a text so far.

    Attributes:
        states: Numbers of states that wait for the next character.
        before: Kind of the last character.
        matched: A match has ended before it.
        following: The sets that follow, by the class of a character.
    """

    __slots__ = ("before", "following", "matched", "states")

    def __init__(self, states: FrozenSet[int], before: int, matched: bool) -> None:
        self.states = states
        self.before = before
        self.matched = matched
        self.following: Dict[int, Readings] = {}

    @property
    def is_idle(self) -> bool:
        """Whether no match is under way."""
        return not self.states and not self.matched


class PatternSearch:
    """A search for one pattern; it may be used by several threads.

    Attributes:
        begin: The readings of an empty text.
        longest: Characters of its longest match.
    """

    def __init__(self, pattern: str, caseless: bool = False) -> None:
        """Prepare a search.

        Raises:
            GuardError: when the pattern cannot be used.
        """
        piece = parse(pattern, caseless)
        self.longest = piece.longest
        self._folds = CASELESS if caseless else PATTERNS
        self._states: List[_State] = [_State(None, "", ())]
        self._first = self._build(piece, _ACCEPT)
        sets = [one.chars for one in self._states if one.chars is not None]
        ends = {end for one in sets for low, high in one.ranges for end in (low, high + 1)}
        self._bounds = sorted(ends)
        self._classes: Dict[str, int] = {}
        self._numbers: Dict[Tuple[int, bool, bool, bool], int] = {}
        self._samples: List[str] = []
        self._sets: Dict[Tuple[FrozenSet[int], int], Readings] = {}
        self._hit = Readings(frozenset(), _OTHER, True)
        self.begin = Readings(frozenset(), _START, False)

    def folded(self, char: str) -> str:
        """Return a character as the pattern reads it; empty for an invisible one."""
        return self._folds[ord(char)]

    def step(self, readings: Readings, char: str) -> Readings:
        """Return the readings after one more folded character."""
        kind = self._classes.get(char)
        if kind is None:
            kind = self._class_of(char)
        found = readings.following.get(kind)
        if found is None:
            found = self._follow(readings, kind)
        return found

    def end(self, readings: Readings) -> bool:
        """Return whether there is a match in a text that ends here."""
        return readings.matched or _ACCEPT in self._reached(readings, _END)

    def is_in(self, text: str) -> bool:
        """Return whether a text has a match."""
        readings, step = self.begin, self.step
        for char in text.translate(self._folds):
            readings = step(readings, char)
            if readings.matched:
                return True
        return self.end(readings)

    def _follow(self, readings: Readings, kind: int) -> Readings:
        char = self._samples[kind]
        after = _WORD if is_word(char) else _OTHER
        reached = self._reached(readings, after)
        if readings.matched or _ACCEPT in reached:
            found = self._hit
        else:
            states = frozenset(
                one.following[0]
                for one in (self._states[number] for number in reached)
                if one.chars is not None and one.chars.has(char)
            )
            found = self._known(states, after)
        readings.following[kind] = found
        return found

    def _known(self, states: FrozenSet[int], before: int) -> Readings:
        if len(self._sets) > _MOST_SETS:  # answers under way keep theirs
            self._sets = {}
            self.begin = Readings(frozenset(), _START, False)
        key = states, before
        found = self._sets.get(key)
        if found is None:
            found = self._sets[key] = Readings(states, before, False)
        return found

    def _reached(self, readings: Readings, after: int) -> List[int]:
        """Return the states that are reached without a character, those of a new match too."""
        found: Dict[int, None] = {}
        stack = [self._first, *readings.states]
        while stack:
            number = stack.pop()
            if number in found:
                continue
            one = self._states[number]
            if one.place and not _is_there(one.place, readings.before, after):
                continue
            found[number] = None
            if one.chars is None:
                stack.extend(one.following)
        return list(found)

    def _class_of(self, char: str) -> int:
        """Return the class of a character: those of one are the same for the pattern."""
        place = bisect_right(self._bounds, ord(char))
        key = place, is_word(char), char.isdecimal(), char.isspace()
        number = self._numbers.get(key)
        if number is None:
            self._samples.append(char)
            number = self._numbers.setdefault(key, len(self._samples) - 1)
        if len(self._classes) < _MOST_CHARACTERS:
            self._classes[char] = number
        return number

    def _build(self, piece: Piece, then: int) -> int:
        """Add the states of a part in front of a state; return the first of them."""
        if piece.kind in ("set", "place"):
            chars = piece.chars if piece.kind == "set" else None
            return self._state(chars, piece.place, (then,))
        if piece.kind == "row":
            for part in reversed(piece.parts):
                then = self._build(part, then)
            return then
        if piece.kind == "choice":
            return self._state(None, "", tuple(self._build(part, then) for part in piece.parts))
        return self._repetition(piece, then)

    def _repetition(self, piece: Piece, then: int) -> int:
        (part,) = piece.parts
        if piece.most is None:
            loop = self._state(None, "", ())
            inner = self._build(part, loop)
            self._states[loop] = _State(None, "", (inner, then))
            then = loop
        else:
            end = then
            for _ in range(piece.most - piece.least):
                then = self._state(None, "", (self._build(part, then), end))
        for _ in range(piece.least):
            then = self._build(part, then)
        return then

    def _state(self, chars: Optional[CharSet], place: str, following: Tuple[int, ...]) -> int:
        self._states.append(_State(chars, place, following))
        return len(self._states) - 1


def _is_there(place: str, before: int, after: int) -> bool:
    if place == "^":
        return before == _START
    if place == "$":
        return after == _END
    border = (before == _WORD) != (after == _WORD)
    return border == (place == "b")
