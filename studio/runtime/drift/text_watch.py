"""Drift of the prompts and answers of a language model: lengths, languages, answers that were cut.

The first requests of a release are its reference. Only counts are kept, and nothing of a text.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import Dict, List, NamedTuple, Sequence, Tuple

import numpy as np

from ..shared.threads import guarded_thread
from .limits import FALSE_TOGETHER, FALSE_WINDOWS, alike_counts, chance_limit, edges_of
from .reference import MAX_BINS, OF_LAST, WINDOW, Reference, Signal, Tap
from .text_language import language_of
from .watch import MOST_FRAMES_S, DriftWatch
from .window import Alarm

LEARNED = 256
"""Requests that become the reference."""
_PROMPT, _ANSWER = "prompt", "answer"
_TAPS = (Tap("input", _PROMPT, "prompt", (2,)), Tap("output", _ANSWER, "answer", (3,)))
_LENGTHS = (0, 2)
_LANGUAGES = (1, 3)
_CUT = 4
_NAMES = (
    *("prompt.length", "prompt.language"),
    *("answer.length", "answer.language", "answer.cut"),
)
_MOST_LANGUAGES = MAX_BINS - 1
_RARE = "others"
_DRAWN = 20_000
"""Windows that a target draws for a limit: less than half of a studio's, on a slower processor."""


class TextFacts(NamedTuple):
    """Facts of one request; nothing of its texts.

    Attributes:
        prompt, answer: Tokens.
        cut: The answer ended at its limit of tokens.
    """

    prompt: int
    answer: int
    cut: bool
    prompt_language: str
    answer_language: str


def facts_of(prompt: str, answer: str, tokens: Tuple[int, int], cut: bool) -> TextFacts:
    """Return the facts of a request.

    Args:
        prompt: What the client wrote, without what a template adds.
        tokens: Of the prompt and of the answer.
    """
    return TextFacts(*tokens, cut, language_of(prompt), language_of(answer))


class TextWatch:
    """A watch that learns from the first requests, and compares the later ones with them.

    Attributes:
        alarm: Raised or not; it never is while the watch learns.
    """

    def __init__(self, learned: int = LEARNED, frames_s: float = MOST_FRAMES_S) -> None:
        """Begin to learn.

        Args:
            learned: Requests that become the reference.
            frames_s: Requests a second that are compared at most.
        """
        self._frames_s = frames_s
        self._wanted = learned
        self._first: List[TextFacts] = []
        self._lock = threading.Lock()
        self._watch = DriftWatch(Reference(1, WINDOW, (), ()))
        self._ready = False
        self._languages: Tuple[Dict[str, int], Dict[str, int]] = ({}, {})
        self._shown: Dict[str, List[str]] = {}

    @property
    def alarm(self) -> Alarm:
        """The alarm; off while the watch learns."""
        return self._watch.alarm

    def add(self, facts: TextFacts) -> None:
        """Take a request; never fails, whatever it was."""
        with self._lock:
            if self._ready:
                row = self._numbers(facts)
            elif len(self._first) < self._wanted:
                self._first.append(facts)
                if len(self._first) == self._wanted:
                    # Some tenths of a second, for which no answer has to wait.
                    guarded_thread("drift", self._learn, self._learn_anew, lasts=False).start()
                return
            else:
                return
        self._watch.observe({_PROMPT: row[:, :2]}, {_ANSWER: row[:, 2:]})

    def status(self) -> Dict[str, object]:
        """Return the status that the monitor shows, as plain data."""
        found = self._watch.status()
        if not self._ready:
            return {**found, "frames": len(self._first), "learns": self._wanted}
        signals = found["signals"]
        assert isinstance(signals, list)
        for signal in signals:
            if signal["name"] in self._shown:
                signal["labels"] = self._shown[signal["name"]]
        return found

    def _learn_anew(self, error: BaseException) -> None:
        with self._lock:
            self._first = []

    def _learn(self) -> None:
        languages = (
            _ranks([one.prompt_language for one in self._first]),
            _ranks([one.answer_language for one in self._first]),
        )
        self._languages = languages
        rows = np.concatenate([self._numbers(one) for one in self._first])
        watch = DriftWatch(_reference(rows, languages), frames_s=self._frames_s)
        for column, ranks in zip(_LANGUAGES, languages):
            self._shown[_NAMES[column]] = [*ranks, _RARE]
        with self._lock:
            self._watch, self._ready = watch, True
            self._first = []

    def _numbers(self, facts: TextFacts) -> np.ndarray:
        """Return the five numbers of a request as one row."""
        prompts, answers = self._languages
        row = (
            float(facts.prompt),
            prompts.get(facts.prompt_language, len(prompts)),
            float(facts.answer),
            answers.get(facts.answer_language, len(answers)),
            float(facts.cut),
        )
        return np.array([row], np.float32)


def _ranks(languages: Sequence[str]) -> Dict[str, int]:
    """Return the places of languages by their number; rare ones have none of their own."""
    counted = Counter(languages).most_common(_MOST_LANGUAGES)
    return {name: place for place, (name, _) in enumerate(counted)}


def _reference(rows: np.ndarray, languages: Sequence[Dict[str, int]]) -> Reference:
    """Return the reference of the first requests.

    Each bin of languages and of cut answers has one request more than was counted (Laplace). What
    was not there at first is then rare, and not impossible.
    """
    bins: Dict[int, Tuple[Tuple[float, ...], Tuple[int, ...]]] = {}
    for column in _LENGTHS:
        edges = edges_of(rows[:, column])
        if edges:
            bins[column] = edges, _counts(rows[:, column], edges)
    for column, ranks in zip(_LANGUAGES, languages):
        edges = tuple(place + 0.5 for place in range(len(ranks)))
        bins[column] = edges, tuple(n + 1 for n in _counts(rows[:, column], edges))
    bins[_CUT] = (0.5,), tuple(n + 1 for n in _counts(rows[:, _CUT], (0.5,)))
    signals = []
    for column, (edges, counts) in sorted(bins.items()):
        alike = alike_counts(counts)
        limit = chance_limit(alike, WINDOW, FALSE_WINDOWS / len(bins), _DRAWN)
        of_last = chance_limit(alike, OF_LAST * WINDOW, FALSE_TOGETHER / len(bins), _DRAWN)
        signals.append(Signal(_NAMES[column], column, edges, counts, limit, of_last))
    return Reference(max(sum(one.counts) for one in signals), WINDOW, _TAPS, tuple(signals))


def _counts(column: np.ndarray, edges: Tuple[float, ...]) -> Tuple[int, ...]:
    places = np.searchsorted(np.array(edges), column, side="left")
    return tuple(int(n) for n in np.bincount(places, minlength=len(edges) + 1))
