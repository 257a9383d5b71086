"""Calls of tools in the text of an answer."""

from __future__ import annotations

import json
import secrets
from typing import Dict, List, NamedTuple, Optional, Tuple

_OPEN, _CLOSE = "<tool_call>", "</tool_call>"
_MOST_CALLS = 16


class ToolCall(NamedTuple):
    """A call of a tool.

    Attributes:
        arguments: JSON, as the model has written it.
    """

    id: str
    name: str
    arguments: str

    def to_json(self) -> Dict[str, object]:
        """Return it as OpenAI's clients read it."""
        function = {"name": self.name, "arguments": self.arguments}
        return {"id": self.id, "type": "function", "function": function}


def split_calls(text: str) -> Tuple[str, List[ToolCall]]:
    """Return an answer without its calls, and the calls.

    Known are ``<tool_call>{...}</tool_call>`` (Hermes, Qwen) and an answer that is nothing but
    ``{"name": ..., "parameters": ...}`` (Llama). What is no valid call stays text.
    """
    rest, calls = _split_tagged(text)
    if calls:
        return rest.strip(), calls
    alone = _call(text.strip())
    return ("", [alone]) if alone is not None else (text, [])


def _split_tagged(text: str) -> Tuple[str, List[ToolCall]]:
    """Return a text without its tagged calls, and these; each character is looked at once."""
    kept: List[str] = []
    calls: List[ToolCall] = []
    place = 0
    while len(calls) < _MOST_CALLS:
        begin = text.find(_OPEN, place)
        end = text.find(_CLOSE, begin) if begin >= 0 else -1
        if end < 0:
            break
        call = _call(text[begin + len(_OPEN) : end].strip())
        after = end + len(_CLOSE)
        kept.append(text[place : after if call is None else begin])
        if call is not None:
            calls.append(call)
        place = after
    return "".join((*kept, text[place:])), calls


def _call(text: str) -> Optional[ToolCall]:
    if not text.startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    name = found.get("name")
    arguments = found.get("arguments", found.get("parameters"))
    if not isinstance(name, str) or not isinstance(arguments, (dict, str)):
        return None
    words = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return ToolCall("call_" + secrets.token_hex(12), name, words)
