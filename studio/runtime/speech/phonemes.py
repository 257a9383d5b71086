"""Phonemes of a text, by the program espeak-ng of the system.

The program is started for each clause and never linked: it is free under the GPL, version 3.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import unicodedata
from typing import Iterator, List, NamedTuple

PROGRAM = "espeak-ng"
MOST_CHARACTERS = 4096
"""Of one text; the limit of OpenAI's interface, too."""

_MOST_CLAUSES = 200
_SECONDS = 10.0
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,16}){0,3}")
_CLAUSES = re.compile(r"([.,;:!?]+)(?=\s|$)")
_SWITCHES = re.compile(r"\([a-z-]+\)")
"""Marks of espeak-ng around a word of another language."""

_ENDS = ".!?"


class SpeechError(Exception):
    """A text that cannot be spoken, in one sentence.

    Attributes:
        of_board: The board lacks something; otherwise the text is at fault.
    """

    def __init__(self, sentence: str, of_board: bool = False) -> None:
        super().__init__(sentence)
        self.of_board = of_board


class Clause(NamedTuple):
    """Part of a text up to a punctuation mark.

    Attributes:
        mark: The first character of the mark; empty at the end of a text without one.
    """

    text: str
    mark: str

    @property
    def ends(self) -> bool:
        """Whether a sentence ends with it."""
        return bool(self.mark) and self.mark in _ENDS


def sentences_of(text: str, language: str) -> List[str]:
    """Return the phonemes of each sentence in IPA, with the punctuation of the text.

    Args:
        language: Name of a voice of espeak-ng, such as ``en-us``.

    Raises:
        SpeechError: for a text without words, of more than 4,096 characters or 200 clauses, an
            unknown language, and where espeak-ng is missing or fails.
    """
    if not _LANGUAGE.fullmatch(language):
        raise SpeechError("{!r} is no language of espeak-ng.".format(language[:40]), True)
    if len(text) > MOST_CHARACTERS:
        sentence = "The text has {:,} characters, and {:,} are the most."
        raise SpeechError(sentence.format(len(text), MOST_CHARACTERS))
    program = shutil.which(PROGRAM)
    if program is None:
        raise SpeechError("The board has no {0} (Debian: apt install {0}).".format(PROGRAM), True)
    clauses = list(clauses_of(text))
    if len(clauses) > _MOST_CLAUSES:
        sentence = "The text has {:,} clauses, and {:,} are the most."
        raise SpeechError(sentence.format(len(clauses), _MOST_CLAUSES))
    found: List[str] = []
    current: List[str] = []
    for clause in clauses:
        spoken = _spoken(program, clause.text, language)
        if spoken:
            current.append(spoken + clause.mark)
        if clause.ends and current:
            found.append(" ".join(current))
            current = []
    found += [" ".join(current)] if current else []
    if not found:
        raise SpeechError("The text has no words.")
    return found


def clauses_of(text: str) -> Iterator[Clause]:
    """Yield the clauses of a text; a mark inside a word or a number ends none."""
    plain = "".join(one if one.isprintable() else " " for one in text)
    pieces = _CLAUSES.split(plain.replace("[[", "[ ["))
    for words, mark in zip(pieces[::2], [*pieces[1::2], ""]):
        if words.strip():
            yield Clause(" ".join(words.split()), mark[:1])


def _spoken(program: str, text: str, language: str) -> str:
    """Return the phonemes of a clause, as single letters and marks (NFD)."""
    command = [program, "-q", "--ipa", "-v", language, "--stdin"]
    given = text.encode("utf-8", "replace")
    try:
        done = subprocess.run(command, input=given, capture_output=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        raise SpeechError("{} did not answer in time.".format(PROGRAM), True) from None
    except OSError as error:
        raise SpeechError("{} cannot be started: {}.".format(PROGRAM, error), True) from None
    if done.returncode:
        reason = done.stderr.decode("utf-8", "replace").strip().split("\n")[0][:200]
        raise SpeechError("{} failed: {}".format(PROGRAM, reason or "no reason given"), True)
    lines = done.stdout.decode("utf-8", "replace").split()
    return unicodedata.normalize("NFD", _SWITCHES.sub("", " ".join(lines)))
