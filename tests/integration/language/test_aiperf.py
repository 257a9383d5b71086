"""Load by aiperf on SmolLM2-135M-Instruct: streams of chats, and what the server counts of them."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.rigs.language import gguf_file, safetensors_folder
from tests.rigs.load_client import aiperf_program, profile

pytestmark = [pytest.mark.rig]

ROOT = Path(__file__).parents[3]
REQUESTS, TOKENS = 8, 12


@pytest.fixture
def url(pythons: Callable[[str], Path], rigs: Path, tmp_path: Path) -> Iterator[str]:
    model = tmp_path / "smollm2.gguf"
    model.symlink_to(gguf_file(rigs))
    manifest = {
        "name": "smollm2",
        "version": 1,
        "model": {"file": model.name, "backend": "llama-cpp"},
        "generation": {"context": 1024, "slots": 4},
    }
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    command = [str(pythons("llama-cpp")), "-m", "studio.runtime", "serve", "--port=0"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, f"--bundle={tmp_path}", "--threads=1"],
            stdout=subprocess.PIPE,
            stderr=log,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            text=True,
        )
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["endpoint"]
    finally:
        process.terminate()
        process.communicate(timeout=30)


def test_streams_of_chats(url: str, rigs: Path, tmp_path: Path) -> None:
    tokenizer = str(safetensors_folder(rigs))
    options = ("--endpoint-type", "chat", "--streaming", "--tokenizer", tokenizer)
    sizes = ("--concurrency", "2", "--request-count", str(REQUESTS), "--isl", "32")
    found: Any = profile(
        aiperf_program(rigs),
        url,
        "smollm2",
        tmp_path / "report",
        *options,
        *sizes,
        *("--osl", str(TOKENS)),
    )
    print(json.dumps({name: found[name] for name in ("time_to_first_token", "request_throughput")}))
    assert found["request_count"]["avg"] == REQUESTS
    assert found["error_summary"] == []
    assert found["output_token_count"]["max"] <= TOKENS
    assert found["time_to_first_token"]["p50"] > 0
    with urllib.request.urlopen(f"{url}/edgewright/status", timeout=60) as answer:
        language = json.load(answer)["language"]
    assert language["ends"]["failed"] == 0
    assert language["answer_tokens"] >= found["total_output_tokens"]["avg"]
