"""``studio stream`` against a real deployment of digits to this computer."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import numpy
import PIL.Image
import pytest

from tests.e2e.conftest import STUDIO, Studio, interruptible

pytestmark = pytest.mark.slow
CONTRACT = {"frames", "answered", "dropped", "failed", "seconds", "fps", "latency_ms"}


def pictures(folder: Path, digits: Path, count: int) -> list[str]:
    """Photographs of digits, much larger than the model's input; what is on them."""
    with numpy.load(digits / "heldout.npz") as held:
        images, labels = held["image"], held["labels"]
    folder.mkdir()
    for number in range(count):
        grey = (images[number, 0] * 255).astype(numpy.uint8)
        picture = PIL.Image.fromarray(grey).resize((96, 96), PIL.Image.Resampling.BICUBIC)
        picture.convert("RGB").save(folder / f"{number}.png")
    return [str(label) for label in labels[:count]]


def test_pictures_arrays_and_an_interrupt(studio: Studio, digits: Path, tmp_path: Path) -> None:
    studio.ok("deploy", digits / "digits.onnx")
    folder = tmp_path / "pictures"
    wanted = pictures(folder, digits, 8)

    made = studio.ok("stream", folder)
    assert made.keys() >= {*CONTRACT, "target", "version"}
    counts = [made[name] for name in ("frames", "answered", "dropped", "failed")]
    assert counts == [8, 8, 0, 0]
    assert 0 < made["latency_ms"]["p50"] <= made["latency_ms"]["p90"] <= made["latency_ms"]["p99"]
    found = [
        studio.ok("stream", folder / f"{number}.png")["answer"]["classes"][0]["label"]
        for number in range(3)
    ]
    assert found == wanted[:3]

    paced = studio.ok("stream", digits / "heldout.npz", "--fps", "50", "--frames", "40")
    assert paced["frames"] == 40
    assert paced["seconds"] >= 0.7

    missing = studio.run("stream", tmp_path / "none.png")
    assert (missing.code, missing.out) == (2, "")
    assert "does not exist" in missing.err  # a sentence, not a traceback

    ended = interrupted(studio, str(digits / "heldout.npz"), "--seconds", "600", "--fps", "20")
    assert ended["answered"] > 0
    assert ended["seconds"] < 60


def interrupted(studio: Studio, *words: str) -> dict[str, object]:
    """The document of a stream that got Ctrl+C after its worker had begun."""
    command = [str(STUDIO), "stream", *words, "--json"]
    with subprocess.Popen(
        command,
        env=studio.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=studio.home,
        preexec_fn=interruptible,
    ) as running:
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(6)  # an endless source goes on
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
    assert running.returncode == 0, err
    document: dict[str, object] = json.loads(out)
    return document
