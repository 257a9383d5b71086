"""What a new user does first: run the digits pipeline, add a backend, profile, open the window."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.e2e.screen import Screen, wait_for
from tests.integration.install.root import BareRoot

_COLOURS = 40
"""A window that shows the graph of a model has more; an empty one has a few."""


def first_commands(root: BareRoot, studio: str = "studio") -> None:
    """Run the pipeline of the digits sample, install a backend, and profile with it."""
    root.ok(studio, "samples", "get", "digits", "--out", "/root/digits")
    ran = root.run(studio, "run", "/root/digits/pipeline.toml", "--json")
    assert ran.returncode == 0, ran.stderr + ran.stdout[-3000:]
    document = json.loads(ran.stdout)
    assert {step["state"] for step in document["steps"]} == {"succeeded"}
    assert all(gate["passed"] for gate in document["gates"])
    root.ok(studio, "backends", "install", "mnn")
    words = ("/root/digits/digits.onnx", "--backend", "mnn", "--backend", "onnxruntime")
    profiled = json.loads(root.ok(studio, "profile", *words, "--seconds", "1", "--json"))
    assert {run["state"] for run in profiled["runs"]} == {"measured"}
    assert "mnn" in {run["backend"].partition(":")[0] for run in profiled["runs"]}


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
    with errors.open("w") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log)
    try:
        screen.focus("Edgewright")
        wait_for(lambda: _colours(screen.settle(5)) > _COLOURS, "the window stays empty")
        before = screen.pixels()
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


def _colours(pixels: bytes) -> int:
    return len({pixels[at : at + 3] for at in range(0, len(pixels), 4 * 7)})
