"""The flags of the safe mode, before and behind a command."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from studio.cli.main import main
from studio.settings import SAFE_VARIABLE
from tests.rigs import third_party


@pytest.mark.parametrize(
    "words",
    [
        ["--safe", "plugins", "list", "--json"],
        ["--no-plugins", "plugins", "list", "--json"],
        ["plugins", "list", "--no-plugins", "--json"],
        ["plugins", "--no-plugins", "list", "--json"],
    ],
)
def test_the_flag_may_stand_anywhere(
    words: list[str],
    studio_home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(SAFE_VARIABLE, "")  # to be taken back with the test
    third_party.place(studio_home)
    assert main(words) == 0
    assert os.environ[SAFE_VARIABLE] == "1", "workers are to know it as well"
    states = {one["id"]: one["state"] for one in json.loads(capsys.readouterr().out)["plugins"]}
    assert states[third_party.ID] == "off"
    assert states["studio_local"] == "available"


def test_without_it_the_plugin_waits_for_consent(
    studio_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    third_party.place(studio_home)
    assert main(["plugins", "list", "--json"]) == 0
    states = {one["id"]: one["state"] for one in json.loads(capsys.readouterr().out)["plugins"]}
    assert states[third_party.ID] == "needs consent"
