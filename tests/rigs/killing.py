"""Pipelines that are killed, with all that they started, and gone on with until they are done."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.settings import resource
from tests.e2e.conftest import STUDIO

if TYPE_CHECKING:
    from tests.e2e.conftest import Studio

QUICK = ("seconds = 10\noperators = true", "seconds = 1")
"""What the digits pipeline says of its profile, and what it says here."""


@dataclass
class Kills:
    """What became of the kills.

    Attributes:
        during: For each kill the step that ran; empty when the run had not begun.
    """

    during: list[str] = field(default_factory=list)


def digits_pipeline(folder: Path) -> Path:
    """The digits pipeline in a folder of its own, with a short profile."""
    shutil.copytree(resource("samples", "digits"), folder, dirs_exist_ok=True)
    pipeline = folder / "pipeline.toml"
    text = pipeline.read_text(encoding="utf-8")
    assert QUICK[0] in text
    pipeline.write_text(text.replace(*QUICK), encoding="utf-8")
    return pipeline


def shorten(pipeline: Path) -> None:
    """Give the profile of a pipeline that says nothing of its time one second instead of twenty."""
    text = pipeline.read_text(encoding="utf-8")
    line = 'step = "profile"\n'
    assert text.count(line) == 1
    assert "seconds =" not in text
    pipeline.write_text(text.replace(line, line + "seconds = 1\n"), encoding="utf-8")


def digests(studio: Studio, pipeline: Path) -> tuple[dict[str, str], float]:
    """The digests of a run that nobody disturbs, and the seconds that it takes."""
    began = time.monotonic()
    report = studio.ok("run", pipeline, timeout=600)
    return report["artefacts"], time.monotonic() - began


def kill_once(studio: Studio, pipeline: Path, moment: float, kills: Kills) -> None:
    """Run or go on with the pipeline, and kill the whole process group at a moment.

    A run that ends before is no kill, and is not counted.
    """
    words = [str(STUDIO), "run", *_what(studio, pipeline)]
    process = subprocess.Popen(
        words,
        env=studio.environment,
        cwd=studio.home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(moment)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        kills.during.append(_running(studio))


def finish(studio: Studio, pipeline: Path) -> dict[str, Any]:
    """Go on to the end, if it was not reached; the journal of the run."""
    runs = _runs(studio)
    if not runs or runs[0]["state"] != "succeeded":
        ended = studio.run("run", *_what(studio, pipeline), timeout=600)
        assert ended.code == 0, ended.err + ended.out
    found: dict[str, Any] = studio.ok("run", "--show", "last")
    return found


def moments(seed: int, count: int, longest: float) -> list[float]:
    """Random moments, the same for a seed."""
    generator = random.Random(seed)
    return [generator.uniform(0.3, longest) for _ in range(count)]


def _what(studio: Studio, pipeline: Path) -> list[str]:
    runs = _runs(studio)
    return ["--resume", runs[0]["id"]] if runs else [str(pipeline)]


def _runs(studio: Studio) -> list[Any]:
    return list(studio.ok("run", "--list")["runs"])


def _running(studio: Studio) -> str:
    """The first step that was not done, as the journal has it."""
    folders = sorted((studio.home / "edgewright" / "data" / "runs").glob("*/run.json"))
    if not folders:
        return ""
    steps = json.loads(folders[-1].read_text(encoding="utf-8"))["steps"]
    return next((str(step["id"]) for step in steps if step["state"] == "not run"), "the report")
