"""The sample sentences: the search by meaning, and int8 against float."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Studio

FLOAT, INT8 = "local/sentences-float", "local/sentences-int8"


@pytest.fixture(scope="module")
def sample(studio: Studio) -> Path:
    return Path(studio.ok("samples", "get", "sentences", timeout=900)["folder"])


@pytest.fixture(scope="module")
def endpoints(studio: Studio, sample: Path) -> Iterator[tuple[str, str]]:
    """Addresses of the float model and of its int8 variant."""
    model = sample / "encoder" / "model.onnx"
    small = studio.ok("quantize", model, "--preset", "int8-dynamic", timeout=600)
    variant = f"{small['model']}:{small['name']}"
    yield (
        str(studio.ok("deploy", model, "--target", FLOAT, timeout=600)["endpoint"]),
        str(studio.ok("deploy", variant, "--target", INT8, timeout=600)["endpoint"]),
    )
    for target in (FLOAT, INT8):
        studio.run("undeploy", "--target", target, "--purge")


def search(sample: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "search.py", "texts", *words],
        cwd=sample,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_question_finds_its_text(sample: Path, endpoints: tuple[str, str]) -> None:
    found = search(sample, "How do I stop a machine safely?", "--url", endpoints[0] + "/v1")
    assert found.splitlines()[0].split()[1] == "safety.txt:4"


def test_int8_finds_nearly_as_much_as_float(sample: Path, endpoints: tuple[str, str]) -> None:
    urls = ("--url", endpoints[0] + "/v1", "--other", endpoints[1] + "/v1")
    found = search(sample, "--pairs", "pairs.jsonl", *urls)
    print(found)
    first, second = (int(one) for one in re.findall(r": (\d+) of 30 first", found))
    assert first >= 28
    assert second >= 25
    mean, least = map(float, re.findall(r"(?:mean|least) (0\.\d+|1\.0+)(?:,|$)", found, re.M)[-2:])
    assert mean > 0.98
    assert least > 0.95
