"""Parts of streams, and a job that notes what the work of a chat sends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from studio.api import Cancelled

DONE = b"data: [DONE]\n\n"


def part(text: str, token: str | None = None) -> bytes:
    """One token of a stream."""
    named = {"content": [{"token": text if token is None else token}]}
    choice = {"index": 0, "delta": {"content": text}, "logprobs": named, "finish_reason": None}
    return event({"choices": [choice], "usage": None})


def ended(reason: str = "stop", prompt: int = 30, answer: int = 3) -> bytes:
    """The end of a stream with the numbers of tokens."""
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": answer,
        "prompt_tokens_details": {"cached_tokens": 7},
    }
    last = {"choices": [{"index": 0, "delta": {}, "logprobs": None, "finish_reason": reason}]}
    return event(last) + event({"choices": [], "usage": usage}) + DONE


def event(document: Any) -> bytes:
    """An event of a stream."""
    return b"data: " + json.dumps(document).encode() + b"\n\n"


class ChatJob:
    """A job that keeps its events, and is cancelled after some of them."""

    def __init__(self, folder: Path, cancel_after: int = 1000) -> None:
        self.folder = folder
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._cancel_after = cancel_after

    def progress(self, done: float, total: float, text: str = "") -> None:
        self.check()

    def log(self, text: str) -> None:
        pass

    def check(self) -> None:
        if len(self.events) >= self._cancel_after:
            raise Cancelled

    def event(self, name: str, /, **values: Any) -> None:
        self.events.append((name, values))

    @property
    def text(self) -> str:
        """The text of all events."""
        return "".join(values["text"] for _, values in self.events)
