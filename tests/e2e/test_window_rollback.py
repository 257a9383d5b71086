"""The rollback in the window, in its own process, by the mouse alone."""

from __future__ import annotations

import json
import shutil
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Studio
from tests.e2e.person import ANOTHER, Person, place_of
from tests.e2e.person import person as person
from tests.e2e.person import screen as screen
from tests.e2e.screen import wait_for

pytestmark = [pytest.mark.rig, pytest.mark.needs("Xvfb", "xdotool")]


@pytest.fixture
def served(studio: Studio, digits: Path, tmp_path: Path) -> str:
    """The address of the second of two releases of the digits on this computer.

    The window of the person, which opens after it, has both in its history.
    """
    first, second = digits / "digits.onnx", tmp_path / "digits-fp16.onnx"
    studio.ok("deploy", first)
    studio.ok("quantize", first, "--method", "fp16", "--out", second)
    release = studio.ok("deploy", second)
    shutil.copytree(studio.home / "edgewright", tmp_path / ANOTHER)
    return str(release["endpoint"])


def test_the_version_before_serves_after_two_clicks(
    served: str, person: Person, tmp_path: Path
) -> None:
    assert described(served)["versions"] == ["2"]
    places = (
        place_of("Monitor", person, tmp_path),
        place_of("Roll back to v1", person, tmp_path, stage="monitor"),
    )
    began = time.monotonic()
    for place in places:
        person.screen.settle(5.0)
        person.screen.click(*place)
    wait_for(lambda: described(served)["versions"] == ["1"], "version 1 does not serve")
    print(f"rolled back {time.monotonic() - began:.1f} s after the first click")
    person.look("rolled-back")
    assert person.leave() == ""


def described(endpoint: str) -> Any:
    """What the endpoint says of the model over HTTP."""
    with urllib.request.urlopen(f"{endpoint}/v2/models/digits", timeout=60) as answer:
        return json.load(answer)
