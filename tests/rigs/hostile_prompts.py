"""Hostile requests to a server of a language model, by a seed."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Callable

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"

_WORDS = (
    "<|im_end|>",
    "{{7*7}}",
    "\x00",
    "é" * 50,
    "\u202e",
    "'; DROP",
    "../..",
    "%s%n",
    "🙈" * 20,
)
_VALUES: tuple[object, ...] = (
    *(None, True, -1, 0, 1, 2**63, 10**300, 1e308, -1e308, "", "x", [], {}),
    *([[]], {"a": {"b": []}}, [1, "2", None], "\ud800", "x" * 5000, [0] * 3000),
)
_FIELDS = (
    *("messages", "prompt", "max_tokens", "temperature", "top_p", "top_k", "min_p", "seed", "stop"),
    *("stream", "n", "logprobs", "top_logprobs", "logit_bias", "response_format", "tools"),
    *("tool_choice", "stream_options", "presence_penalty", "chat_template_kwargs", "model"),
)


class Attacker:
    """A client that means no good.

    Attributes:
        statuses: Number of answers by their status; 0 for none.
    """

    def __init__(self, host: str, port: int, token: str = "", seed: int = 1) -> None:
        self._host, self._port, self._token = host, port, token
        self._chance = random.Random(seed)
        self.statuses: dict[int, int] = {}

    def attack(self, count: int) -> None:
        """Send that many requests, one after the other."""
        kinds: tuple[Callable[[], None], ...] = (
            *(self._odd_fields, self._odd_fields, self._odd_fields),
            *(self._odd_schema, self._no_json, self._long_prompt, self._leave, self._leave),
        )
        for _ in range(count):
            self._chance.choice(kinds)()

    def _odd_fields(self) -> None:
        body: dict[str, object] = {"max_tokens": 2, "prompt": self._chance.choice(_WORDS)}
        body["messages"] = [{"role": "user", "content": self._chance.choice(_WORDS)}]
        for _ in range(self._chance.randint(1, 4)):
            body[self._chance.choice(_FIELDS)] = self._chance.choice(_VALUES)
        if body.get("max_tokens") in (None, 2**63, 10**300):
            body["max_tokens"] = 2
        self._send(self._chance.choice((CHAT, COMPLETIONS)), json.dumps(body).encode())

    def _odd_schema(self) -> None:
        schema: object = self._chance.choice(_VALUES)
        for _ in range(self._chance.randint(0, 60)):
            kind = self._chance.choice(("array", "object"))
            inner = {"items": schema} if kind == "array" else {"properties": {"a": schema}}
            schema = {"type": kind, **inner}
        wanted = {"type": "json_schema", "json_schema": {"schema": schema}}
        messages = [{"role": "user", "content": "x"}]
        body = {"messages": messages, "max_tokens": 3, "response_format": wanted}
        self._send(CHAT, json.dumps(body).encode())

    def _no_json(self) -> None:
        body = json.dumps({"prompt": "x", "max_tokens": 2}).encode()
        content = bytearray(body)
        for _ in range(self._chance.randint(1, 5)):
            content[self._chance.randrange(len(content))] = self._chance.randrange(256)
        choices = (bytes(content), body[: len(body) // 2], b"[" * 50_000, b"\xff" * 100, b"")
        self._send(COMPLETIONS, self._chance.choice(choices))

    def _long_prompt(self) -> None:
        size = self._chance.choice((2_000, 50_000, 300_000))
        self._send(
            COMPLETIONS, json.dumps({"prompt": "ab " * (size // 3), "max_tokens": 1}).encode()
        )

    def _leave(self) -> None:
        """Leave in the middle of the request, or of the stream."""
        stream = self._chance.random() < 0.5
        body = json.dumps({"prompt": "on and on", "max_tokens": 400, "stream": stream}).encode()
        content = self._head(COMPLETIONS, len(body)) + body
        cut = self._chance.randint(1, len(content))
        with socket.create_connection((self._host, self._port), timeout=30) as link:
            link.sendall(content if stream else content[:cut])
            if stream:
                link.recv(100)

    def _send(self, path: str, body: bytes) -> None:
        with socket.create_connection((self._host, self._port), timeout=120) as link:
            try:
                link.sendall(self._head(path, len(body)) + body)
            except OSError:  # it was refused before it was read
                pass
            answer = b""
            try:
                while block := link.recv(65536):
                    answer += block
            except ConnectionResetError:
                pass
        status = int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0
        self.statuses[status] = self.statuses.get(status, 0) + 1

    def _head(self, path: str, length: int) -> bytes:
        lines = [f"POST {path} HTTP/1.1", f"Host: {self._host}:{self._port}", "Connection: close"]
        lines += [f"Content-Length: {length}"]
        lines += [f"Authorization: Bearer {self._token}"] if self._token else []
        return "\r\n".join((*lines, "", "")).encode()
