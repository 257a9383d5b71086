"""Chats with a real model: of the registry, and deployed on this computer."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from tests.e2e.conftest import STUDIO, Studio
from tests.rigs.language import gguf_file

QUESTION = "What is the capital of France? Answer in one sentence."
WORDS = (QUESTION, "--tokens", "8")


@pytest.fixture
def ready(studio: Studio) -> Studio:
    """The command with the backend of GGUF files installed."""
    studio.ok("backends", "install", "llama-cpp", timeout=600)
    return studio


def test_a_model_answers_here_and_from_a_target_alike(
    ready: Studio, rigs: Path, tmp_path: Path
) -> None:
    model, tests = gguf_file(rigs), tmp_path / "facts.jsonl"
    kept = ("--save-test", tests, "--expect", "Paris")
    here = ready.ok("chat", model, *WORDS, "--threads", "1", *kept)
    assert here["answer"]["text"] == "The capital of France is Paris."
    assert here["answer"]["times"]["first_ms"] > 0
    assert here["backend"].startswith("llama-cpp ")
    assert json.loads(tests.read_text())["answer"] == "Paris"
    ready.ok("deploy", model, "--target", "local", "--context", "256", timeout=600)
    served = ready.ok("chat", "local", *WORDS)
    assert served["target"] == "local"
    assert served["answer"]["tokens"] == here["answer"]["tokens"]
    schema = tmp_path / "schema.json"
    schema.write_text('{"type": "object", "properties": {"a": {"enum": [7]}}, "required": ["a"]}')
    found = ready.ok("chat", "local", "Seven.", "--schema", schema, "--tokens", "40")
    assert json.loads(found["answer"]["text"])["a"] == 7


def test_ctrl_c_ends_an_answer_and_the_process_of_its_model(ready: Studio, rigs: Path) -> None:
    words = ("chat", gguf_file(rigs), "Count.", "--tokens", "4000", "--threads", "1")
    with subprocess.Popen(
        [str(STUDIO), *map(str, words)],
        env=ready.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    mine = [one for one in Path("/proc").glob("[0-9]*/cmdline") if _is_mine(one, ready.home)]
    assert mine == []


def _is_mine(file: Path, home: Path) -> bool:
    try:
        return str(home).encode() in file.read_bytes() and b"chat" in file.read_bytes()
    except OSError:
        return False
