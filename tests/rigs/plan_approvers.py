"""Persons who make and approve plans, with SSH keys of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.plans import approvals
from studio.plans.author import NAMESPACE
from studio.settings import Paths
from studio.settings.user import user_id
from studio.workspace.boards import approvals as window
from tests.rigs.boards import make_key


def approver_key(folder: Path, name: str = "id") -> Path:
    """Make a key pair, and return the file of its private half."""
    path = folder / name
    make_key(path)
    return path


def set_author(paths: Paths, key: Path | None = None) -> str:
    """Set the key that signs plans; return its line in the file of approvers."""
    paths.config.mkdir(parents=True, exist_ok=True)
    path = key or paths.config / "author"
    if not path.exists():
        make_key(path)
    (paths.config / "plan_key").write_text(f"{path}\n")
    return f'author@desk namespaces="{NAMESPACE}" {path.with_suffix(".pub").read_text()}'


def allow(paths: Paths, key: Path, name: str, *more: str) -> None:
    """Name the owner of a key the only approver, beside the author of plans."""
    lines = [set_author(paths), f"{name} {key.with_suffix('.pub').read_text()}", *more]
    (paths.config / "plan_approvers").write_text("".join(lines))


def second_person(patch: pytest.MonkeyPatch, name: str = "bob@desk") -> None:
    """Be another user of this computer from now on."""
    patch.setattr(approvals, "owner", lambda: name)
    for module in ("studio.plans.plans", window.__name__):
        patch.setattr(f"{module}.user_id", lambda: user_id() + 1)
