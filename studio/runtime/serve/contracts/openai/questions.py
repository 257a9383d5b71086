"""Requests for chats and completions, as they are understood."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Optional, Tuple

from ....generate.request import Constraint
from ....generate.sampler import Sampling
from ....generate.schema.constraint import constraint_of
from ....generate.schema.errors import SchemaError
from .errors import BadField
from .fields import Document, Fields

ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
_MOST_MESSAGES = 2000
_MOST_TOOLS = 128
_MOST_TOKENS = 1 << 20
_DEFAULT_COMPLETION = 16
"""Tokens of a completion, as OpenAI has it."""


class CommonFields(NamedTuple):
    """What both kinds of requests have.

    Attributes:
        most: Tokens of the answer; None for what the context leaves room for.
        counts: The last part of a stream has the numbers of tokens.
        ignored: Names of fields that are not known here.
    """

    sampling: Sampling
    most: Optional[int]
    stops: Tuple[str, ...]
    stream: bool
    counts: bool
    constraint: Optional[Constraint] = None
    ends: bool = True
    ignored: Tuple[str, ...] = ()


class ChatQuestion(NamedTuple):
    """A conversation that wants its next message."""

    messages: List[Dict[str, object]]
    tools: List[Document]
    variables: Document
    question: CommonFields


class CompletionQuestion(NamedTuple):
    """A text that wants to be continued, or its tokens.

    Attributes:
        echo: The answer begins with the prompt.
    """

    prompt: str
    tokens: Tuple[int, ...]
    echo: bool
    question: CommonFields


def read_chat(document: Document, vocabulary: int) -> ChatQuestion:
    """Return what a body asks for.

    Raises:
        BadField: when a field cannot be used.
    """
    fields = Fields(document)
    messages = [
        _message(one, place) for place, one in enumerate(fields.objects("messages", _MOST_MESSAGES))
    ]
    if not messages:
        raise BadField("messages", "messages has at least one message.")
    tools = fields.objects("tools", _MOST_TOOLS)
    choice = fields.get("tool_choice")
    if choice == "none":
        tools = []
    elif choice not in (None, "auto"):
        raise BadField("tool_choice", "tool_choice is auto or none here.")
    most = fields.whole("max_completion_tokens", 1, _MOST_TOKENS)
    most = most or fields.whole("max_tokens", 1, _MOST_TOKENS)
    fields.get("max_tokens")
    alternatives = fields.whole("top_logprobs", 0, 20, 0)
    reported = alternatives if fields.flag("logprobs") else None
    variables = fields.part("chat_template_kwargs")
    question = _question(fields, vocabulary, most, reported, chat=True)
    return ChatQuestion(messages, tools, variables, question)


def read_completion(document: Document, vocabulary: int) -> CompletionQuestion:
    """Return what a body asks for.

    Raises:
        BadField: when a field cannot be used.
    """
    fields = Fields(document)
    prompt, tokens = _prompt(fields.get("prompt"), vocabulary)
    most = fields.whole("max_tokens", 1, _MOST_TOKENS, _DEFAULT_COMPLETION)
    reported = fields.whole("logprobs", 0, 20)
    echo = fields.flag("echo")
    return CompletionQuestion(
        prompt, tokens, echo, _question(fields, vocabulary, most, reported, chat=False)
    )


def _prompt(found: object, vocabulary: int) -> Tuple[str, Tuple[int, ...]]:
    if isinstance(found, list) and len(found) == 1 and isinstance(found[0], (str, list)):
        found = found[0]
    if isinstance(found, str):
        return found, ()
    whole = isinstance(found, list) and all(type(one) is int for one in found)
    if not whole or not found or not all(0 <= one < vocabulary for one in found):  # type: ignore[attr-defined]
        sentence = "prompt is one text, or one list of tokens below {}.".format(vocabulary)
        raise BadField("prompt", sentence)
    return "", tuple(found)  # type: ignore[arg-type]


def _question(
    fields: Fields, vocabulary: int, most: Optional[int], reported: Optional[int], chat: bool
) -> CommonFields:
    if fields.whole("n", 1, 1, 1) != 1 or fields.whole("best_of", 1, 1, 1) != 1:
        raise BadField("n", "n is 1.")
    sampling = Sampling(
        temperature=fields.number("temperature", 0.0, 2.0, 1.0),
        top_p=fields.number("top_p", 0.0, 1.0, 1.0),
        seed=fields.seed(),
        presence=fields.number("presence_penalty", -2.0, 2.0, 0.0),
        frequency=fields.number("frequency_penalty", -2.0, 2.0, 0.0),
        bias=fields.biases(vocabulary),
        alternatives=reported,
        # Beyond OpenAI's own: as vLLM and llama.cpp name them.
        top_k=fields.whole("top_k", 0, vocabulary, 0) or 0,
        min_p=fields.number("min_p", 0.0, 1.0, 0.0),
    )
    stream = fields.flag("stream")
    counts = Fields(fields.part("stream_options")).flag("include_usage")
    constraint = _constraint(fields.part("response_format")) if chat else None
    ends = not fields.flag("ignore_eos")
    for name in ("model", "user", "store", "metadata", "service_tier", "parallel_tool_calls"):
        fields.get(name)
    stops = fields.stops()
    return CommonFields(
        sampling, most, stops, stream, counts, constraint, ends, ignored=fields.ignored()
    )


def _message(given: Document, place: int) -> Dict[str, object]:
    name = "messages[{}]".format(place)
    role = given.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise BadField(name, "{}.role is one of {}.".format(name, ", ".join(sorted(ROLES))))
    message: Dict[str, object] = {"role": "system" if role == "developer" else role}
    message["content"] = _content(given.get("content"), name)
    for key in ("name", "tool_call_id"):
        if isinstance(given.get(key), str):
            message[key] = given[key]
    if isinstance(given.get("tool_calls"), list):
        message["tool_calls"] = given["tool_calls"]
    return message


def _content(content: object, name: str) -> str:
    """Return the text of a message; parts that are texts are put together."""
    if content is None or isinstance(content, str):
        return content or ""
    parts = content if isinstance(content, list) else [None]
    texts = []
    for part in parts:
        given = part if isinstance(part, dict) else {}
        text = given.get("text")
        if not isinstance(text, str) or given.get("type") != "text":
            raise BadField(name, "{}.content is a text, or a list of texts.".format(name))
        texts.append(text)
    return "".join(texts)


def _constraint(wanted: Document) -> Optional[Constraint]:
    kind = wanted.get("type", "text")
    name = "response_format"
    if kind == "text":
        return None
    if kind == "json_object":
        return constraint_of({"type": "object"})
    if kind != "json_schema":
        raise BadField(name, "response_format.type is text, json_object or json_schema.")
    described = wanted.get("json_schema")
    schema = described.get("schema") if isinstance(described, dict) else None
    if not isinstance(schema, dict):
        raise BadField(name, "response_format.json_schema.schema is an object.")
    try:
        return constraint_of(schema)
    except SchemaError as error:
        raise BadField(name, "The schema cannot be used: {}".format(error)) from None
