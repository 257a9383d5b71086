"""The usual work on a machine on which bubblewrap is not installed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from studio.jobs.sandbox import confine
from tests.e2e.conftest import Studio

pytestmark = pytest.mark.slow

PLACES = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin")


def hide_bubblewrap(studio: Studio, folder: Path) -> None:
    """Let a studio find every program but bubblewrap."""
    for place in filter(os.path.isdir, PLACES):
        for entry in os.scandir(place):
            link = folder / entry.name
            if entry.name != "bwrap" and not os.path.lexists(link):
                link.symlink_to(entry.path)
    studio.environment["PATH"] = str(folder)


@pytest.fixture
def bare(studio: Studio, tmp_path: Path) -> Studio:
    hide_bubblewrap(studio, tmp_path)
    return studio


def test_a_model_is_opened_measured_and_quantized(bare: Studio, digits: Path) -> None:
    model = digits / "digits.onnx"
    said = {check["name"]: check["text"] for check in bare.ok("doctor")["checks"]}
    level = "partly" if confine.landlock_abi() >= confine.OLDEST_ABI else "limits only"
    assert said["sandbox"].startswith((f"{level}:", "partly:"))
    found = bare.ok("profile", model, "--seconds", "0.2", "--rounds", "3")
    assert found["runs"][0]["state"] == "measured"
    assert bare.ok("quantize", model, "--method", "dynamic-int8")["name"]
