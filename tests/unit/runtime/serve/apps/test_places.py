"""Folders of apps without a root of releases: of this user alone."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest

from studio.runtime.serve.apps.places import data_folder
from studio.runtime.shared.errors import LoadError


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("EDGEWRIGHT_APP_DATA", raising=False)
    return tmp_path / "edgewright-app-lanes"


def test_the_folder_of_events_is_of_this_user_alone(place: Path, tmp_path: Path) -> None:
    place.mkdir(mode=0o777)
    place.chmod(0o777)
    for _ in range(2):
        assert data_folder(tmp_path / "lanes") == place
        assert stat.S_IMODE(place.stat().st_mode) == 0o700


@pytest.mark.parametrize("made", ["link", "file", "theirs"])
def test_a_folder_that_another_user_made_first_is_refused(
    place: Path, tmp_path: Path, made: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if made == "link":
        (tmp_path / "theirs").mkdir()
        place.symlink_to(tmp_path / "theirs")
    elif made == "file":
        place.write_text("")
    else:
        place.mkdir()
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(LoadError, match="belongs to another user: set EDGEWRIGHT_APP_DATA"):
        data_folder(tmp_path / "lanes")
