"""The way in which the studio was installed, and the command that adds a package to it."""

from __future__ import annotations

import shlex
import sys
import tomllib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import studio

NAME = "edgewright"
MARKER = "edgewright-installation"
"""File in the environment of a Debian package or an AppImage, with the word for it."""

INSTALL = "install it with: "
"""Stands before the command in every sentence about a missing package."""

_IN_AN_APPIMAGE = "an AppImage holds a fixed set of packages; install the wheel with uv or pipx"


class Installation(StrEnum):
    """The ways in which the studio can be installed."""

    UV_TOOL = "uv tool"
    PIPX = "pipx"
    DEBIAN = "Debian package"
    APPIMAGE = "AppImage"
    CHECKOUT = "checkout"
    PIP = "pip"


def installation(prefix: Path | None = None) -> Installation:
    """Return how the studio was installed.

    Args:
        prefix: The environment; that of this interpreter by default.
    """
    place = prefix or Path(sys.prefix)
    if (place / MARKER).is_file():
        word = (place / MARKER).read_text(encoding="utf-8", errors="replace").strip()
        return Installation(word) if word in set(Installation) else Installation.PIP
    if (place / "uv-receipt.toml").is_file():
        return Installation.UV_TOOL
    if (place / "pipx_metadata.json").is_file():
        return Installation.PIPX
    checkout = Path(studio.__file__).parent.parent / "pyproject.toml"
    return Installation.CHECKOUT if checkout.is_file() else Installation.PIP


def missing_packages(requirements: Sequence[str]) -> str:
    """Return the words after "is not installed": the command that installs it here.

    An AppImage cannot be added to, so its words name the other ways to install the studio.
    """
    command = install_command(requirements)
    return f"{INSTALL}{command}" if command else _IN_AN_APPIMAGE


def missing_hint(requirements: Sequence[str]) -> str:
    """Return the same as the hint of an error."""
    text = missing_packages(requirements)
    return text[:1].upper() + text[1:]


def install_command(requirements: Sequence[str], prefix: Path | None = None) -> str:
    """Return the command that adds packages to this installation; empty for an AppImage.

    Args:
        requirements: By PEP 508 (``boto3>=1.40``).
        prefix: The environment; that of this interpreter by default.
    """
    place = prefix or Path(sys.prefix)
    words = list(requirements)
    match installation(place):
        case Installation.APPIMAGE:
            return ""
        case Installation.UV_TOOL:
            return _line(*_uv_tool(place, words))
        case Installation.PIPX:
            return _line("pipx", "inject", place.name, *words)
        case Installation.DEBIAN:
            return _line("sudo", str(place / "bin" / "python"), "-m", "pip", "install", *words)
    return _line(str(place / "bin" / "python"), "-m", "pip", "install", *words)


def _line(*words: str) -> str:
    return shlex.join(words)


def _uv_tool(place: Path, words: list[str]) -> list[str]:
    """Return the command of uv, which forgets packages added earlier unless they are repeated."""
    receipt = tomllib.loads((place / "uv-receipt.toml").read_text(encoding="utf-8"))
    tool, *others = _requirements(receipt) or [{"name": NAME}]
    wanted = [*map(_requirement, others), *words]
    return ["uv", "tool", "install", *_pairs("--with", wanted), _requirement(tool)]


def _requirements(receipt: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = receipt.get("tool", {}).get("requirements", [])
    return [one for one in found if isinstance(one, dict) and "name" in one]


def _requirement(entry: Mapping[str, Any]) -> str:
    """Return an entry of uv's receipt as it was given: a file, or a name with its versions."""
    place = str(entry.get("path") or entry.get("directory") or entry.get("url") or "")
    extras = ",".join(map(str, entry.get("extras", ())))
    name = f"{entry['name']}[{extras}]" if extras else str(entry["name"])
    if not place:
        return f"{name}{entry.get('specifier', '')}"
    return f"{place}[{extras}]" if extras else place


def _pairs(flag: str, values: Sequence[str]) -> list[str]:
    return [word for value in values for word in (flag, value)]
