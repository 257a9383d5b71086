"""A language model on an emulated arm64 board, from ``studio deploy`` to streamed answers.

The processor is emulated, which makes everything dozens of times slower than a board is.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Studio
from tests.integration.arm64 import image, machine
from tests.integration.arm64.machine import Machine
from tests.rigs.language import genai_folder, gguf_file

pytestmark = [pytest.mark.rig, pytest.mark.needs(*image.PROGRAMS, *machine.PROGRAMS)]

QUESTION = "What is the capital of France? Answer in one sentence."
ON_BOARD = ("--target", "board")
_LONG = 1800
_STREAM = """
import json, sys, time, urllib.request
body = {"messages": [{"role": "user", "content": QUESTION}], "temperature": 0, "max_tokens": 8}
body = json.dumps({**body, "stream": True}).encode()
began, times, texts, ends = time.monotonic(), [], [], []
with urllib.request.urlopen(URL, body, 900) as answer:
    kind = answer.headers["Content-Type"]
    for line in answer:
        data = line.decode().strip().partition("data: ")[2]
        if data == "[DONE]":
            ends.append(data)
        elif data:
            text = json.loads(data)["choices"][0]["delta"].get("content")
            if text:
                times.append(time.monotonic() - began)
                texts.append(text)
print(json.dumps({"kind": kind, "texts": texts, "times": times, "ends": ends}))
"""


@pytest.fixture(scope="module")
def board(rigs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    if os.geteuid() != 0:
        pytest.skip("only root can unpack an image")
    with Machine(image.image(rigs), tmp_path_factory.mktemp("machine")) as board:
        yield board


@pytest.fixture(scope="module")
def deployed(studio: Studio, board: Machine, rigs: Path) -> dict[str, Any]:
    """The model in 4 bits on the board, with the wheels of its backend."""
    key = ("--key-file", board.key_file, "--accept-host-key", board.fingerprint)
    studio.ok("target", "add", "board", board.url, *key)
    began = time.monotonic()
    more = ("--context", "512", "--slots", "1", "--soak-s", "0")
    found: dict[str, Any] = studio.ok("deploy", genai_folder(rigs), *ON_BOARD, *more, timeout=_LONG)
    steps = {row["name"]: row.get("seconds") for row in found["steps"]}
    print(f"serving after {time.monotonic() - began:.0f} s: {steps}", flush=True)
    return found


def test_it_serves_with_wheels_of_its_processor(board: Machine, deployed: dict[str, Any]) -> None:
    assert deployed["state"] == "serving"
    assert deployed["bytes_sent"] > 100_000_000
    code = "import platform, onnxruntime_genai; print(platform.machine())"
    (python,) = board.run("find /root -path '*/env/*/bin/python3'").split()
    assert board.run(f'ORT_DISABLE_TELEMETRY=1 {python} -c "{code}"', 300).strip() == "aarch64"


def test_an_answer_is_streamed(board: Machine, deployed: dict[str, Any]) -> None:
    url = f"{deployed['endpoint']}/v1/chat/completions"
    code = _STREAM.replace("QUESTION", repr(QUESTION)).replace("URL", repr(url))
    found = json.loads(board.run(f"python3 - <<'END'\n{code}\nEND", _LONG))
    print(f"{found['times']} s", flush=True)
    assert found["kind"].startswith("text/event-stream")
    assert found["ends"] == ["[DONE]"]
    assert len(found["texts"]) > 3
    assert "Paris" in "".join(found["texts"])
    assert found["times"][-1] > found["times"][0]


def test_the_chat_of_the_studio_reaches_it(studio: Studio, deployed: dict[str, Any]) -> None:
    found = studio.ok("chat", "board", QUESTION, "--tokens", "8", timeout=_LONG)
    print(found["answer"]["times"], flush=True)
    assert "Paris" in found["answer"]["text"]


def test_gguf_is_refused_with_what_would_do(studio: Studio, board: Machine, rigs: Path) -> None:
    """llama.cpp has no wheels for Arm; nothing is sent."""
    ended = studio.run("deploy", gguf_file(rigs), *ON_BOARD, "--replace", timeout=_LONG)
    assert ended.code != 0
    assert "no wheels for Python 3.13 on aarch64" in ended.err
    assert "onnxruntime-genai" in ended.err
