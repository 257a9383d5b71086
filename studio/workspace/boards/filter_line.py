"""The filter line of many boards, with the filters of ``studio fleet status``."""

from __future__ import annotations

import re

from studio.api import UsageError
from studio.monitoring.boards.table import ALERT, MODEL, NONE, OTHERS, RELEASE, STATE, STATES
from studio.monitoring.boards.table import BoardFilter as BoardFilter

NAME, LABEL = "name", "label"
KEYS = (LABEL, RELEASE, MODEL, STATE, ALERT, NAME)
_WORD = re.compile(r'((?:[^\s"]|"[^"]*"?)+)')
_DIGITS = 12
"""Digits of a release that a filter line has."""


def read_filter(line: str) -> BoardFilter:
    """Return the filter of a line such as ``site=north state:silent cam``.

    A word ``KEY:VALUE`` is one of ``KEYS``, ``NAME=VALUE`` a label, and any other text in the
    board's name. A value with spaces is in double quotes.

    Raises:
        UsageError: in one sentence for a word that fits none of these.
    """
    labels: dict[str, str] = {}
    states: list[str] = []
    texts: dict[str, str] = {}
    for word in _words(line):
        key, sign, value = word.partition(":")
        if sign and key == LABEL:
            word, sign = value, ""
        if sign and key in KEYS:
            if key == STATE:
                states += [_state(one) for one in value.split(",")]
            elif key in texts:
                raise UsageError(f"The filter has {key} twice.")
            else:
                texts[key] = value
            continue
        label, sign, value = word.partition("=")
        if sign and label:
            labels[label] = value
        elif key == LABEL or sign:
            raise UsageError(f"A label is NAME=VALUE, not {word}.")
        elif NAME in texts:
            raise UsageError("The filter has two parts of a name; use one word for it.")
        else:
            texts[NAME] = word
    return BoardFilter(
        labels,
        texts.get(RELEASE, ""),
        texts.get(MODEL, ""),
        tuple(states),
        texts.get(ALERT, ""),
        texts.get(NAME, ""),
    )


def toggled(line: str, by: str, group: str) -> str:
    """Return a line that also selects a group, or no longer does so.

    Args:
        by: What the groups are made of: ``release``, ``model``, ``state`` or a label.
        group: The value; the groups without one or of others change nothing.
    """
    word = _word_of(by, group)
    if not word:
        return line
    words = _WORD.findall(line)
    if word in words:
        return " ".join(one for one in words if one != word)
    begin = f"{by}:" if by in KEYS else f"{by}="
    return " ".join([*(one for one in words if not one.startswith(begin)), word])


def _word_of(by: str, group: str) -> str:
    if group == OTHERS or (group == NONE and by in KEYS):
        return ""
    if by == RELEASE:
        return f"{by}:{group[:_DIGITS]}"
    if by in KEYS:
        return f"{by}:{_quoted(group.replace(' ', '-') if by == STATE else group)}"
    return f"{by}={_quoted('' if group == NONE else group)}"


def _quoted(value: str) -> str:
    return f'"{value}"' if re.search(r"\s", value) else value


def _words(line: str) -> list[str]:
    return [one.replace('"', "") for one in _WORD.findall(line)]


def _state(word: str) -> str:
    state = word.replace("-", " ")
    if state not in STATES:
        known = ", ".join(one.replace(" ", "-") for one in STATES)
        raise UsageError(f"A state is one of {known}, not {word or 'empty'}.")
    return state
