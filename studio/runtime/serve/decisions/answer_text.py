"""The meaning of an answer in one short line, for the record of decisions."""

from __future__ import annotations

import json
from typing import List, Mapping

from ..http.message import JSON, Response

LONGEST = 240
"""Characters of a meaning."""
TEXT = "text/plain; charset=utf-8"
"""Type of an answer that is recorded as its text alone, as that of a stream."""
_LARGEST = 1 << 20
"""Bytes of an answer that is read; a larger one has its digest alone."""
_SHOWN = 3
_OBJECTS = ("objects", "classes", "regions")


def meaning_of(response: Response) -> str:
    """Return the findings of an answer in words; empty where it only has numbers."""
    if response.content_type == TEXT:
        return response.body[: 4 * LONGEST].decode("utf-8", "replace")[:LONGEST]
    if response.content_type != JSON or response.parts or len(response.body) > _LARGEST:
        return ""
    try:
        document = json.loads(response.body.decode("utf-8"))
    except (ValueError, RecursionError):
        return ""
    if not isinstance(document, dict):
        return ""
    if isinstance(document.get("choices"), list):
        return _of_language(document["choices"])[:LONGEST]
    found = document.get("predictions") if "task" in document else document.get("labels")
    rows = found if isinstance(found, list) else []
    return "; ".join([_one(row) for row in rows[:_SHOWN]] + _more(len(rows)))[:LONGEST]


def _of_language(choices: List[object]) -> str:
    """Return the text of an answer of OpenAI's interface, or the names of the tools it calls."""
    first = choices[0] if choices and isinstance(choices[0], dict) else {}
    message = first.get("message")
    said = message if isinstance(message, dict) else first
    text = said.get("content") or said.get("text")
    if isinstance(text, str):
        return text
    calls = said.get("tool_calls")
    names = [one.get("function", {}).get("name", "") for one in calls] if calls else []
    return "calls {}".format(", ".join(map(str, names))) if names else ""


def _more(count: int) -> List[str]:
    return ["{} more".format(count - _SHOWN)] if count > _SHOWN else []


def _one(row: object) -> str:
    if isinstance(row, list):  # labels of a picture, the likeliest first
        row = row[0] if row else {}
    if not isinstance(row, dict):
        return _short(row)
    for name in _OBJECTS:
        if isinstance(row.get(name), list):
            parts = row[name]
            texts = [_named(part) for part in parts[:_SHOWN] if isinstance(part, dict)]
            return ", ".join(texts + _more(len(parts))) or "none"
    return _named(row)


def _named(row: Mapping[str, object]) -> str:
    """Return the label, decision or text of one finding, with its score."""
    words = [row.get(name) for name in ("decision", "label", "text") if row.get(name) is not None]
    numbers = [row.get(name) for name in ("score", "probability", "share") if name in row]
    if not words and not numbers:
        return ", ".join(
            "{}: {}".format(name, _short(value)) for name, value in list(row.items())[:_SHOWN]
        )
    return " ".join(_short(one) for one in words[:1] + numbers[:1])


def _short(value: object) -> str:
    if isinstance(value, float):
        return "{:.4g}".format(value)
    return str(value)[:LONGEST]
