"""Privacy of a profile: folders and files of its user alone, and no password in its records."""

from __future__ import annotations

import stat
from pathlib import Path

from studio.registry import Registry
from studio.workspace import Workspace


def _open_to_others(home: Path) -> list[str]:
    """Return what another user reaches: open files in open folders."""
    found = []
    for path in (home / "data", home / "config", home / "cache", home / "data" / "registry"):
        mode = stat.S_IMODE(path.stat().st_mode)
        found += [str(path)] if mode & 0o077 else []
        found += [
            str(one)
            for one in path.iterdir()
            if one.is_file() and stat.S_IMODE(one.stat().st_mode) & 0o077
        ]
    return found


def test_folders_and_files_of_a_profile_are_of_its_user_alone(tmp_path: Path) -> None:
    with Workspace.open(tmp_path) as opened:
        opened.settings["theme"] = "dark"
        opened.registry.add_model("digits")
        assert _open_to_others(tmp_path) == []


def test_an_existing_profile_is_tightened_when_it_is_opened(tmp_path: Path) -> None:
    with Workspace.open(tmp_path) as opened:
        opened.settings["theme"] = "dark"
    for path in (tmp_path / "data", tmp_path / "config", tmp_path / "data" / "registry"):
        path.chmod(0o755)
    (tmp_path / "config" / "settings.json").chmod(0o644)
    (tmp_path / "data" / "registry" / "registry.sqlite").chmod(0o644)
    Workspace.open(tmp_path).close()
    assert _open_to_others(tmp_path) == []


def test_a_registry_alone_is_tightened_too(tmp_path: Path) -> None:
    Registry.open(tmp_path / "registry").close()
    (tmp_path / "registry").chmod(0o755)
    (tmp_path / "registry" / "registry.sqlite").chmod(0o664)
    Registry.open(tmp_path / "registry").close()
    assert stat.S_IMODE((tmp_path / "registry").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "registry" / "registry.sqlite").stat().st_mode) == 0o600
