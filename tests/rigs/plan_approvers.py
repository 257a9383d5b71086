"""Persons who may approve plans, with SSH keys of their own."""

from __future__ import annotations

from pathlib import Path

from studio.settings import Paths
from tests.rigs.boards import make_key


def approver_key(folder: Path, name: str = "id") -> Path:
    """Make a key pair, and return the file of its private half."""
    path = folder / name
    make_key(path)
    return path


def allow(paths: Paths, key: Path, name: str) -> None:
    """Name the owner of a key the only approver."""
    paths.config.mkdir(parents=True, exist_ok=True)
    (paths.config / "plan_approvers").write_text(f"{name} {key.with_suffix('.pub').read_text()}")
