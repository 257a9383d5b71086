"""The request of a chat, as OpenAI's interface defines it."""

from __future__ import annotations

import json
from itertools import cycle
from pathlib import Path

from studio.api import UsageError
from studio.documents.dataclass_json import JsonValue, to_json
from studio.features.language.chat.results import ASSISTANT, SYSTEM, USER, ChatMessage
from studio.features.language.chat.step import ChatOptions

_LONGEST_SCHEMA = 1 << 20


def messages_of(options: ChatOptions) -> tuple[ChatMessage, ...]:
    """Return the messages of the conversation up to the question.

    Raises:
        UsageError: when the history does not end with a message of the model, or the question
            is empty.
    """
    if not options.prompt.strip():
        raise UsageError("The message to the model is empty.")
    if len(options.history) % 2:
        raise UsageError("The history ends with a message of the model.")
    system = options.system or ""
    first = [ChatMessage(SYSTEM, system)] if system.strip() else []
    roles = cycle((USER, ASSISTANT))
    earlier = [ChatMessage(role, text) for role, text in zip(roles, options.history, strict=False)]
    return (*first, *earlier, ChatMessage(USER, options.prompt))


def request_of(options: ChatOptions) -> bytes:
    """Return the body of the request.

    Raises:
        UsageError: when the messages or the schema cannot be used.
    """
    document: dict[str, JsonValue] = {
        "messages": to_json(messages_of(options)),
        "temperature": options.temperature,
        "top_p": options.top_p,
        "seed": options.seed,
        "max_tokens": options.tokens,
        "logprobs": True,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if options.schema is not None:
        schema: JsonValue = {"name": "answer", "schema": _schema(options.schema)}
        document["response_format"] = {"type": "json_schema", "json_schema": schema}
    return json.dumps(document).encode()


def _schema(path: Path) -> JsonValue:
    try:
        with path.open("rb") as stream:
            content = stream.read(_LONGEST_SCHEMA + 1)
        found: JsonValue = json.loads(content[: _LONGEST_SCHEMA + 1])
    except OSError as error:
        raise UsageError(f"{path.name} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError):
        raise UsageError(f"{path.name} is not JSON.") from None
    if len(content) > _LONGEST_SCHEMA or not isinstance(found, dict):
        raise UsageError(f"{path.name} is not a JSON Schema: an object of up to 1 MB.")
    return found
