"""Jinja set up as transformers' ``apply_chat_template`` sets it up, and conversations for it."""

from __future__ import annotations

import functools
import json
from datetime import datetime
from typing import Any, NamedTuple

from jinja2 import Template, nodes
from jinja2 import TemplateError as JinjaError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

NOW = datetime(2026, 5, 4, 3, 2, 1)
VARIABLES = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}


class Conversation(NamedTuple):
    """What a template is given."""

    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] | None = None


class _Generation(Extension):
    """The tag that marks what a model has written; its text stays as it is."""

    tags = {"generation"}  # noqa: RUF012 - as Jinja's extensions declare it

    def parse(self, parser: Parser) -> nodes.Node:
        """Read the tag as a call with its text as caller."""
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_same"), [], [], body).set_lineno(line)

    def _same(self, caller: Any) -> Any:
        return caller()


def rendered_by_jinja(source: str, talk: Conversation, prompt: bool = True, **more: Any) -> str:
    """The text that Jinja makes of a conversation; Jinja's errors pass."""
    return _compiled(source).render(
        messages=talk.messages,
        tools=talk.tools,
        add_generation_prompt=prompt,
        **{**VARIABLES, "documents": None, **more},
    )


@functools.lru_cache(maxsize=8)
def _compiled(source: str) -> Template:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols]
    )
    environment.filters["tojson"] = _tojson
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = NOW.strftime
    return environment.from_string(source)


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )


def _raise(message: str) -> None:
    raise JinjaError(message)


def _call(arguments: Any) -> dict[str, Any]:
    function = {"name": "weather", "arguments": arguments}
    calls = [{"id": "abc123def", "type": "function", "function": function}]
    return {"role": "assistant", "content": "", "tool_calls": calls}


_SYSTEM = {"role": "system", "content": "Be brief. "}
_USER = {"role": "user", "content": "Hello <b> é 世界"}
_ANSWER = {"role": "assistant", "content": "Hi!\n"}
_AGAIN = {"role": "user", "content": " How are you? "}
_THOUGHT = {"role": "assistant", "content": "<think>\nhm\n</think>\n\nFine."}
_REASON = {"role": "assistant", "content": "Fine.", "reasoning_content": "hm"}
_RESULT = {
    **{"role": "tool", "content": '{"t": 20}', "name": "weather"},
    "tool_call_id": "abc123def",
}
_PARTS = {"role": "user", "content": [{"type": "text", "text": one} for one in ("one", "two")]}
_CITY = {"type": "string", "description": "Name\nof it", "enum": ["A", "B"]}
_DEEP = {"type": "object", "properties": {"x": {"type": ["number", "null"], "default": 1.5}}}
_SCHEMA = {
    "type": "object",
    "properties": {
        "city": _CITY,
        "days": {"type": "array", "items": {"type": "integer"}},
        "deep": {**_DEEP, "required": ["x"]},
    },
    "required": ["city"],
}
TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "Weather of a 'city' <now> & \"later\"",
            "parameters": _SCHEMA,
            "return": {"type": "string"},
        },
    }
]

CONVERSATIONS = {
    "user": Conversation([_USER]),
    "system": Conversation([_SYSTEM, _USER]),
    "turns": Conversation([_SYSTEM, _USER, _ANSWER, _AGAIN]),
    "turns without system": Conversation([_USER, _ANSWER, _AGAIN, _THOUGHT, _USER]),
    "tools": Conversation([_SYSTEM, _USER], TOOLS),
    "tools without system": Conversation([_USER], TOOLS),
    "call with an object": Conversation(
        [_SYSTEM, _USER, _call({"city": "Ulm", "days": [1, 2]}), _RESULT, _ANSWER, _AGAIN], TOOLS
    ),
    "call with a text": Conversation([_USER, _call('{"city": "Ulm"}'), _RESULT], TOOLS),
    "call without tools": Conversation([_USER, _call({"city": "Ulm"}), _RESULT, _ANSWER]),
    "reasoning": Conversation([_USER, _REASON, _AGAIN]),
    "parts": Conversation([_SYSTEM, _PARTS, _ANSWER, _AGAIN]),
    "answers alone": Conversation([_ANSWER, _ANSWER]),
    "nothing": Conversation([]),
}
"""By name; what a template refuses is among them."""
