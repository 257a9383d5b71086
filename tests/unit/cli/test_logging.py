"""The log of commands: ``--verbose``, ``--debug``, failures, ``doctor --bundle``."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from studio.api import StudioError
from studio.cli.commands import doctor, presets
from studio.cli.main import main
from studio.settings import Paths, Settings
from studio.workspace.diagnosis import DoctorCheck


@pytest.fixture(autouse=True)
def home(studio_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    Paths.of().data.mkdir(parents=True)
    checks = [DoctorCheck("registry", False, "damaged")]
    monkeypatch.setattr(doctor, "examine", lambda: iter(checks))
    return studio_home


def lines() -> list[dict[str, Any]]:
    file = Paths.of().logs / "studio.log"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.mark.parametrize(
    ("words", "shown", "written"),
    [
        (["presets", "list"], False, False),
        (["presets", "list", "-v"], False, True),
        (["-v", "presets", "list"], False, True),
        (["--verbose", "presets", "list"], False, True),
        (["presets", "--verbose", "list"], False, True),
        (["--debug", "presets", "list"], True, True),
        (["presets", "list", "--debug"], True, True),
        (["--no-plugins", "-v", "presets", "list"], False, True),
    ],
)
def test_flags_say_how_much_is_logged_and_shown(
    words: list[str],
    shown: bool,
    written: bool,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EDGEWRIGHT_NO_PLUGINS", "")
    assert main(words) == 0
    assert ("DEBUG studio.cli.main: command started" in capsys.readouterr().err) is shown
    assert ("command started" in [line["message"] for line in lines()]) is written


def test_the_setting_asks_for_details_in_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    Settings(Paths.of().settings)["log_level"] = "debug"
    assert main(["presets", "list"]) == 0
    assert lines()[0]["message"] == "command started"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("error", [StudioError("No, token=hunter2."), ValueError("token=hunter2")])
def test_what_the_user_is_told_as_a_failure_is_logged_with_its_traceback(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(arguments: object) -> int:
        raise error

    monkeypatch.setattr(presets, "run", fail)
    assert main(["presets", "list"]) == 1
    (line,) = lines()
    assert (line["level"], line["command"]) == ("ERROR", "presets")
    assert line["error"] == type(error).__name__
    assert "in fail" in line["traceback"]
    assert "hunter2" not in json.dumps(line)


def test_a_log_that_cannot_be_written_disturbs_no_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Paths.of().logs.write_text("a file where the folder should be")
    assert main(["presets", "list", "-v"]) == 0
    assert capsys.readouterr().err == ""


def test_help_touches_no_log() -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    assert not Paths.of().logs.exists()


def test_doctor_writes_an_archive_and_lists_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "support.zip"
    assert main(["doctor", "--bundle", str(path)]) == 0
    out = capsys.readouterr().out
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    assert "doctor.json" in names
    assert all(f"  {name}  " in out for name in names)
    assert "Nothing was sent." in out


def test_an_archive_that_exists_is_not_overwritten_without_leave(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "support.zip"
    path.write_text("mine")
    assert main(["doctor", "--bundle", str(path)]) == 2
    assert "--force overwrites it" in capsys.readouterr().err
    assert path.read_text() == "mine"
    assert main(["doctor", "--bundle", str(path), "--force", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["bundle"]["path"] == str(path)
    assert "settings.json" in document["bundle"]["files"]
    assert zipfile.is_zipfile(path)


def test_without_an_archive_the_answer_decides(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 1
    assert "WRONG     registry" in capsys.readouterr().out
