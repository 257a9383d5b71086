"""A home of the library for one test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import studio


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    studio.close()
    for folder, _, _ in os.walk(tmp_path / "home"):
        os.chmod(folder, 0o700)
