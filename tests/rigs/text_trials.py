"""Releases of a small language model, equal or damaged, and clients that converse with them."""

from __future__ import annotations

import hashlib
import http.client
import itertools
import json
import os
import random
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np

NAME = "smollm2"
_BLOCK = 20
"""Bytes of a block of Q4_1: the scale and the minimum, each in float16, and 32 numbers."""


class Releases:
    """A folder of releases, as a board has it.

    Attributes:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._versions = itertools.count(1)
        (root / "run").mkdir(parents=True, exist_ok=True)

    def add(self, model: Path, **generation: Any) -> str:
        """Make a release of a model file; return its digest."""
        version = next(self._versions)
        manifest = {
            "name": NAME,
            "version": version,
            "model": {"file": "model.gguf", "backend": "llama-cpp"},
            "generation": {"context": 2048, "slots": 2, **generation},
        }
        content = json.dumps(manifest).encode()
        digest = hashlib.sha256(content).hexdigest()
        folder = self.folder(digest)
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_bytes(content)
        os.link(model, folder / "model.gguf")
        return digest

    def folder(self, digest: str) -> Path:
        """Return the folder of a release."""
        return self.root / "releases" / digest


def with_layer_off(source: Path, out: Path, layer: int, seed: int | None) -> Path:
    """Copy a model with the weights of one layer off by 10 %.

    Args:
        seed: Of normal errors with a standard deviation of 10 %, one for each block of 32 weights;
            None for weights that all are 10 % too large.
    """
    content = bytearray(source.read_bytes())
    draws = np.random.default_rng(seed)
    for tensor in gguf.GGUFReader(source).tensors:
        if not tensor.name.startswith(f"blk.{layer}.") or tensor.tensor_type.name != "Q4_1":
            continue
        start = tensor.data_offset
        blocks = np.frombuffer(content, np.uint8, tensor.n_bytes, start).reshape(-1, _BLOCK)
        scales = blocks[:, :4].copy().view(np.float16).astype(np.float32)
        factor = 1.1 if seed is None else 1 + 0.1 * draws.normal(size=(len(scales), 1))
        changed = blocks.copy()
        changed[:, :4] = (scales * factor).astype(np.float16).view(np.uint8)
        content[start : start + tensor.n_bytes] = changed.tobytes()
    out.write_bytes(content)
    return out


def with_template(source: Path, out: Path, template: str) -> Path:
    """Copy a model with another chat template, filled up to the length of the right one."""
    field = gguf.GGUFReader(source).fields["tokenizer.chat_template"]
    old = field.contents().encode()
    filler = len(old) - len(template.encode()) - len("{##}")
    fresh = template.encode() + b"{#" + b" " * filler + b"#}"
    content = source.read_bytes()
    place = content.index(old)
    out.write_bytes(content[:place] + fresh + content[place + len(old) :])
    return out


WRONG_TEMPLATES: Mapping[str, str] = {
    "of another family": (
        "{% for message in messages %}[INST] {{ message['content'] }} [/INST]{% endfor %}"
    ),
    "no header of the answer": (
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + "
        "message['content'] + '<|im_end|>\n' }}{% endfor %}"
    ),
    "the last message is lost": (
        "{% for message in messages[:-1] %}{{ '<|im_start|>' + message['role'] + '\n' + "
        "message['content'] + '<|im_end|>\n' }}{% endfor %}<|im_start|>assistant\n"
    ),
}

_WISHES = (
    *("Describe {} in one sentence.", "What is {} good for?", "Where would you look for {}?"),
    *("Write a short poem about {}.", "Give three facts about {}.", "Why do people like {}?"),
    *("Explain {} to a child.", "What is the opposite of {}?", "Name something like {}."),
    *("Write a headline about {}.", "How much does {} cost?", "Is {} dangerous?"),
)
_THINGS = (
    *("a river", "a bicycle", "the moon", "bread", "a lighthouse", "winter", "a violin", "coffee"),
    *("a spider", "glass", "a harbour", "honey", "a train", "the desert", "chess", "a candle"),
    *("an onion", "a bridge", "cotton", "a whale", "salt", "a library", "thunder", "a shoe"),
    *("paper", "a garden", "iron", "a clock", "the sea", "a map", "wool", "a kite", "rice"),
    *("a castle", "a drum", "snow", "an island", "a mirror", "tea", "a volcano"),
)
_LONG = 1200
"""Words in front of a long question: more than 1,024 tokens, fewer than 2,048."""


def conversations(seed: int, long: float = 0.2) -> Iterator[list[dict[str, str]]]:
    """Yield conversations that differ from each other, in an order of the seed.

    Args:
        long: Share of them with a long text in front of the question.
    """
    draws = random.Random(seed)
    every = [wish.format(thing) for wish in _WISHES for thing in _THINGS]
    draws.shuffle(every)
    for question in every:
        messages = [{"role": "user", "content": question}]
        if draws.random() < 0.3:
            messages.insert(0, {"role": "system", "content": "Be brief and friendly."})
        if draws.random() < long:
            words = " ".join(draws.choice(_THINGS) for _ in range(_LONG // 2))
            messages[-1]["content"] = f"Read this list: {words}. {question}"
        yield messages


class Conversing:
    """Clients that converse with a server until they are ended; a context manager.

    Attributes:
        answers, refused: Numbers of answered and refused conversations.
        failures: What else came.
    """

    def __init__(
        self,
        port: int,
        seed: int,
        *,
        clients: int = 2,
        tokens: int = 24,
        long: float = 0.2,
        host: str = "127.0.0.1",
    ) -> None:
        self._host, self._port = host, port
        self._tokens = tokens
        self._conversations = conversations(seed, long)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self.answers = self.refused = 0
        self.failures: list[str] = []
        self._threads = [threading.Thread(target=self._converse) for _ in range(clients)]

    def __enter__(self) -> Conversing:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _next(self) -> list[dict[str, str]] | None:
        with self._lock:
            return next(self._conversations, None)

    def _converse(self) -> None:
        while not self._ended.is_set() and (messages := self._next()) is not None:
            try:
                status = self._ask(messages)
            except (OSError, http.client.HTTPException) as error:
                if not self._ended.is_set():
                    self.failures.append(repr(error))
                time.sleep(0.2)
                continue
            with self._lock:
                self.answers += status == 200
                self.refused += status == 400
            if status not in (200, 400):
                self.failures.append(str(status))

    def _ask(self, messages: list[dict[str, str]]) -> int:
        body = {"model": NAME, "messages": messages, "max_tokens": self._tokens, "seed": 1}
        link = http.client.HTTPConnection(self._host, self._port, timeout=120)
        try:
            link.request("POST", "/v1/chat/completions", json.dumps(body))
            answer = link.getresponse()
            answer.read()
            return answer.status
        finally:
            link.close()
