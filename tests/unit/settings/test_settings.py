"""Paths by the XDG rules, settings that survive damage, files written whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from studio.api import UsageError
from studio.settings import Paths, Settings, resource, write_atomically


def test_the_xdg_variables_are_followed_and_relative_ones_ignored() -> None:
    env = {"HOME": "/h", "XDG_DATA_HOME": "/data", "XDG_CACHE_HOME": "relative"}
    paths = Paths.of(env)
    assert paths.data == Path("/data/edgewright")
    assert paths.config == Path("/h/.config/edgewright")
    assert paths.cache == Path("/h/.cache/edgewright")


def test_one_variable_moves_everything(tmp_path: Path) -> None:
    paths = Paths.of({"HOME": "/h", "EDGEWRIGHT_HOME": str(tmp_path)})
    assert {paths.data.parent, paths.config.parent, paths.cache.parent} == {tmp_path}


@pytest.mark.parametrize(
    "env", [{"HOME": "/h"}, {"HOME": "/h", "XDG_DATA_HOME": "/d"}, {"EDGEWRIGHT_HOME": "/e"}]
)
def test_another_process_finds_the_same_folders(env: dict[str, str]) -> None:
    paths = Paths.of(env)
    assert Paths.of({"HOME": "/elsewhere", **paths.variables()}) == paths


def test_a_setting_is_kept_and_checked(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "c" / "settings.json")
    assert settings["theme"] == "system"
    settings["theme"] = "dark"
    assert Settings(tmp_path / "c" / "settings.json")["theme"] == "dark"
    with pytest.raises(UsageError, match="Theme must be one of system, light, dark, not 'pink'"):
        settings["theme"] = "pink"
    with pytest.raises(UsageError, match="Unknown setting 'colour'"):
        settings["colour"] = "red"


@pytest.mark.parametrize("content", ["{", "[1]", '{"theme": "pink"}', "\x00"])
def test_a_damaged_file_is_put_aside(tmp_path: Path, content: str) -> None:
    file = tmp_path / "settings.json"
    file.write_text(content)
    settings = Settings(file)
    assert settings["theme"] == "system"
    settings["theme"] = "light"
    assert file.with_suffix(".damaged.json").read_text() == content


def test_a_write_that_fails_leaves_the_old_file_and_no_rubbish(tmp_path: Path) -> None:
    file = tmp_path / "f"
    write_atomically(file, b"old")
    with pytest.raises(TypeError):
        write_atomically(file, "not bytes")  # type: ignore[arg-type]
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_the_resources_are_found() -> None:
    assert resource("samples").is_dir()


def test_two_studios_keep_the_changes_of_both(tmp_path: Path) -> None:
    first, second = (Settings(tmp_path / "settings.json") for _ in range(2))
    first["theme"] = "dark"
    second["operator"] = "Ann"
    first["closing"] = "stop"
    stored = Settings(tmp_path / "settings.json")
    assert (stored["theme"], stored["operator"], stored["closing"]) == ("dark", "Ann", "stop")
    assert first["operator"] == "Ann"


def test_many_processes_change_settings_at_once(tmp_path: Path) -> None:
    """Each changes its own; none takes away what another has stored in between."""
    code = (
        "import sys; from pathlib import Path; from studio.settings import Settings\n"
        "settings = Settings(Path(sys.argv[1]))\n"
        "sys.stdin.readline()\n"
        "for value in sys.argv[3:]: settings[sys.argv[2]] = value\n"
    )
    changes = {
        "theme": ["light", "dark"] * 20,
        "closing": ["background", "stop"] * 20,
        "operator": [str(number) for number in range(40)],
    }
    file = tmp_path / "settings.json"
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(file), name, *values], stdin=-1)
        for name, values in changes.items()
    ]
    for process in running:
        process.communicate(b"\n")
    assert [process.returncode for process in running] == [0, 0, 0]
    stored = Settings(file)
    assert {name: stored[name] for name in changes} == {n: v[-1] for n, v in changes.items()}


def test_a_change_that_cannot_be_written_lasts_and_is_written_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    settings = Settings(tmp_path / "settings.json")
    with monkeypatch.context() as patched:
        patched.setattr("studio.settings.store.write_atomically", full)
        with pytest.raises(OSError, match="No space left"):
            settings["theme"] = "dark"
    assert settings["theme"] == "dark"
    settings["operator"] = "Ann"
    assert Settings(tmp_path / "settings.json")["theme"] == "dark"
