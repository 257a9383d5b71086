"""Netron's own page in the panel's browser: it shows models, and nothing leaves or enters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
DATA = ROOT / "tests" / "plugins" / "data"
MODELS = [
    (DATA / "tflite" / "layers.tflite", "Conv2D"),
    (DATA / "openvino" / "layers.xml", "Convolution"),
    (ROOT / "resources" / "samples" / "digits" / "digits.onnx", "Gemm"),
]
PAGE = "edgewright-netron://model/"
OUTSIDE = "https://example.com/"


@pytest.fixture(scope="session")
def python(rigs: Path) -> Path:
    """The Python of an environment that has Qt WebEngine in the version of our Qt."""
    folder = rigs / "webengine"
    python = folder / "bin" / "python"
    ours = version("PySide6-Essentials")
    wanted = [
        f"PySide6-Essentials=={ours}",
        f"PySide6-Addons=={ours}",
        f"netron=={version('netron')}",
    ]
    uv = [sys.executable, "-m", "uv", "--quiet"]
    if not python.exists():
        subprocess.run([*uv, "venv", "--python", sys.executable, folder], check=True)
    subprocess.run([*uv, "pip", "install", "--python", python, *wanted], check=True, timeout=900)
    return python


def show(python: Path, model: Path, *more: str) -> dict[str, Any]:
    driver = Path(__file__).with_name("driver.py")
    ended = subprocess.run(
        [python, driver, model, *more],
        env={**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'plugins'}"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


@pytest.mark.parametrize(("model", "operator"), MODELS, ids=lambda value: str(value)[-12:])
def test_a_model_is_shown_and_only_it_is_read(python: Path, model: Path, operator: str) -> None:
    found = show(python, model)
    assert (found["title"], found["state"]) == (model.name, "default")
    assert operator in found["text"]
    assert found["cookie"] == "consent=1"
    urls = [url for url, _ in found["asked"]]
    assert [url for url in urls if not url.startswith((PAGE, "blob:", "data:"))] == []
    assert any(url.startswith(f"{PAGE}model/{model.name}") for url in urls)
    assert found["other"] == 404
    assert found["outside"] == "TypeError: Failed to fetch"
    assert found["url"] == PAGE


def test_the_guard_holds_without_the_pages_policy(python: Path) -> None:
    found = show(python, MODELS[0][0], "open")
    refused = [url for url, allowed in found["asked"] if not allowed]
    assert OUTSIDE in refused
    assert found["outside"] == "TypeError: Failed to fetch"
    assert [url for url, allowed in found["asked"] if allowed and not url.startswith(PAGE)] == []
    assert found["url"] == PAGE
