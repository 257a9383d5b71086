"""What a new user does first: run the digits pipeline, add a backend, profile, open the window."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.e2e.screen import Screen, wait_for
from tests.integration.install.root import BareRoot

_LOG = "root/.local/share/edgewright/logs/studio.log"
_ENDED = '"outcome": "succeeded"'


def first_commands(root: BareRoot, studio: str = "studio") -> None:
    """Run the pipeline of the digits sample, install a backend, and profile with it."""
    root.ok(studio, "samples", "get", "digits", "--out", "/root/digits")
    ran = root.run(studio, "run", "/root/digits/pipeline.toml", "--json")
    assert ran.returncode == 0, ran.stderr + ran.stdout[-3000:]
    document = json.loads(ran.stdout)
    assert {step["state"] for step in document["steps"]} == {"succeeded"}
    assert all(gate["passed"] for gate in document["gates"])
    root.ok(studio, "backends", "install", "openvino")
    words = ("/root/digits/digits.onnx", "--backend", "openvino", "--backend", "onnxruntime")
    profiled = json.loads(root.ok(studio, "profile", *words, "--seconds", "1", "--json"))
    assert {run["state"] for run in profiled["runs"]} == {"measured"}
    assert "openvino" in {run["backend"].partition(":")[0] for run in profiled["runs"]}


def no_display(root: BareRoot, studio: str = "studio") -> str:
    """Start the window where there is no display; returns the sentence."""
    ended = root.run(studio)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    return ended.stderr


def window(root: BareRoot, screen: Screen, picture: Path, studio: str = "studio") -> None:
    """Open a model in the window, go to another page by the keyboard, and leave."""
    command = root.command(
        studio, "open", "/root/digits/digits.onnx", DISPLAY=screen.display, QT_QPA_PLATFORM="xcb"
    )
    errors = picture.with_suffix(".log")
    log_file = root.folder / _LOG
    jobs = log_file.read_text().count(_ENDED)
    with errors.open("w") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log)
    try:
        screen.focus("Edgewright")
        wait_for(lambda: log_file.read_text().count(_ENDED) > jobs, "the model was not opened")
        before = screen.settle()
        screen.press("ctrl+k")
        screen.type("Go to Profile")
        screen.press("Return")
        screen.changes(before)
        screen.save(picture)
        screen.press("ctrl+q")
        assert process.wait(60) == 0, errors.read_text()
    finally:
        if process.poll() is None:
            screen.save(picture)
            process.kill()
            process.wait()
    assert "Traceback" not in errors.read_text()
