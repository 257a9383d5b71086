"""Texts of an override in the body of a request."""

from __future__ import annotations

from typing import Dict, Mapping

from ..http.message import HttpError

LONGEST_DECISION = {"decision": 100, "reason": 2000, "by": 200}
"""Characters of the texts that every override has."""


def read_texts(document: Mapping[str, object], longest: Mapping[str, int]) -> Dict[str, str]:
    """Return the texts of an override, without spaces at their ends.

    Args:
        longest: Most characters of each text.

    Raises:
        HttpError: 400, for one that is missing, empty, too long or unknown.
    """
    for name in document:
        if name not in longest:
            sentence = "An override has no {}: it has {}."
            raise HttpError(400, sentence.format("{!r}".format(name)[:60], ", ".join(longest)))
    found = {}
    for name, most in longest.items():
        text = document.get(name)
        if not isinstance(text, str) or not text.strip() or len(text) > most:
            raise HttpError(400, "{} is a text of 1 to {:,} characters.".format(name, most))
        found[name] = text.strip()
    return found
