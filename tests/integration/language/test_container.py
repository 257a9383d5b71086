"""A language model in containers of a real Docker engine: asked, updated under streams, undone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.settings import Paths
from tests.e2e.conftest import Studio
from tests.e2e.conftest import engine as engine  # a fixture of these tests too
from tests.rigs.boards import until
from tests.rigs.containers import free_port
from tests.rigs.engine import BASE, DockerEngine
from tests.rigs.language import genai_folder, gguf_file

pytestmark = pytest.mark.rig

QUESTION = "What is the capital of France? Answer in one sentence."
WITH_LIBRARY = "edgewright-test-base:libgomp"
ON = ("--target", "box", "--replace")
_LONG = 900


class Box:
    """A target in the engine, asked at its port."""

    def __init__(self, studio: Studio, engine: DockerEngine, port: int) -> None:
        self.studio, self.engine, self.port = studio, engine, port

    def deploy(self, model: Path, *more: str, **options: Any) -> Any:
        """Deploy a model; options of the platform by name."""
        return self.studio.ok(*self.words(model, *more, **options), timeout=_LONG)

    def words(self, model: Path, *more: str, **options: Any) -> list[str | Path]:
        """The command of a deploy."""
        chosen = {"base": BASE, "port": self.port, "wait_s": 600, **options}
        given = [word for name, one in chosen.items() for word in ("--set", f"{name}={one}")]
        return ["deploy", model, *ON, *given, *more]

    def stream(self, tokens: int, question: str = QUESTION) -> tuple[str, str]:
        """The text of a streamed answer, and its last line."""
        body = {"messages": [{"role": "user", "content": question}], "temperature": 0}
        body |= {"max_tokens": tokens, "stream": True, "ignore_eos": tokens > 100}
        url = f"http://127.0.0.1:{self.port}/v1/chat/completions"
        texts, last = [], ""
        with urllib.request.urlopen(url, json.dumps(body).encode(), 600) as answer:
            for line in answer:
                last = line.decode().strip() or last
                if last.startswith("data: {") and line.strip():
                    [choice] = json.loads(last.removeprefix("data: "))["choices"]
                    texts.append(choice["delta"].get("content") or "")
        return "".join(texts), last

    @property
    def status(self) -> Any:
        """The status of the server."""
        url = f"http://127.0.0.1:{self.port}/edgewright/status"
        with urllib.request.urlopen(url, timeout=60) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def box(studio: Studio, engine: DockerEngine) -> Iterator[Box]:
    wheels = Paths.of().cache / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    shutil.copytree(wheels, studio.home / "edgewright" / "cache" / "wheels")  # not loaded twice
    studio.ok("target", "add", "box", f"docker+unix://{engine.socket}/box")
    yield Box(studio, engine, free_port())
    studio.run("undeploy", "--target", "box", "--purge", timeout=_LONG)


def test_an_answer_is_streamed_from_a_container(box: Box, rigs: Path) -> None:
    began = time.monotonic()
    found = box.deploy(genai_folder(rigs), "--context", "1024", "--slots", "2", memory_mb=700)
    print(f"serving after {time.monotonic() - began:.0f} s", flush=True)
    assert found["state"] == "serving"
    began = time.monotonic()
    text, last = box.stream(8)
    print(f"{text!r} after {time.monotonic() - began:.1f} s, {box.status['memory_mb']} MB")
    assert "Paris" in text
    assert last == "data: [DONE]"


def test_threads_follow_the_limit_of_the_container(box: Box, rigs: Path) -> None:
    box.deploy(genai_folder(rigs), "--context", "1024", "--slots", "2", memory_mb=700, cpus=1.5)
    assert box.status["threads"] == 1
    assert "Paris" in box.stream(8)[0]


def test_a_limit_below_the_prediction_is_refused(box: Box, rigs: Path) -> None:
    ended = box.studio.run(*box.words(genai_folder(rigs), memory_mb=200), timeout=_LONG)
    assert ended.code == 4
    assert "more than its limit of 200" in ended.err
    assert "--context" in ended.err


def test_an_update_waits_for_a_stream_and_is_undone(box: Box, rigs: Path) -> None:
    before = box.status["digest"]
    ended: list[tuple[str, str]] = []
    reader = threading.Thread(target=lambda: ended.append(box.stream(700, "Count to a thousand.")))
    reader.start()
    until(lambda: box.status["language"]["active"] == 1, "the answer has begun", 120)
    box.deploy(genai_folder(rigs), "--context", "1024", "--slots", "1", memory_mb=700)
    reader.join(_LONG)
    [(text, last)] = ended
    assert last == "data: [DONE]"
    assert len(text) > 700
    after = box.status["digest"]
    assert after != before
    assert "Paris" in box.stream(8)[0]
    box.studio.ok("rollback", "--target", "box", timeout=_LONG)
    assert box.status["digest"] == before
    assert "Paris" in box.stream(8)[0]


def test_a_base_without_the_library_of_llama_cpp_is_refused(box: Box, rigs: Path) -> None:
    ended = box.studio.run(*box.words(gguf_file(rigs)), timeout=_LONG)
    assert ended.code == 4
    assert "lacks libgomp.so.1" in ended.err
    assert "libgomp1" in ended.err


def test_llama_cpp_in_a_container(box: Box, rigs: Path) -> None:
    """The base with the library of this computer in place of Debian's package."""
    _add_library(box.engine)
    found = box.deploy(gguf_file(rigs), "--context", "1024", base=WITH_LIBRARY, memory_mb=600)
    assert found["state"] == "serving"
    text, last = box.stream(8)
    assert "Paris" in text
    assert last == "data: [DONE]"


def _add_library(engine: DockerEngine) -> None:
    folder = Path("/usr/lib/x86_64-linux-gnu")
    if not (folder / "libgomp.so.1").exists():
        pytest.skip("this computer has no libgomp1")
    name = engine.run("create", BASE, "true").strip()
    for one in sorted(folder.glob("libgomp.so.1*")):
        copy = ["docker", "-H", engine.url, "cp", str(one), f"{name}:{folder}/{one.name}"]
        subprocess.run(copy, check=True, capture_output=True, timeout=60, env=dict(os.environ))
    engine.run("commit", name, WITH_LIBRARY)
    engine.run("rm", name)
