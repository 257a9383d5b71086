"""The installer of the studio (uv, pipx, pip ...), and its command that adds a package."""

from __future__ import annotations

import shlex
import sys
import tomllib
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path

import studio
from studio.lazy_dataclass import dataclass

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
    tool, *others = _requirements(place / "uv-receipt.toml") or [UvRequirement(NAME)]
    wanted = [*(one.text for one in others), *words]
    return ["uv", "tool", "install", *_pairs("--with", wanted), tool.text]


_TEXTS = ("name", "specifier", "path", "directory", "url")


@dataclass(frozen=True, slots=True)
class UvRequirement:
    """An entry of uv's receipt: a package by its name or its file."""

    name: str
    specifier: str = ""
    path: str = ""
    directory: str = ""
    url: str = ""
    extras: tuple[str, ...] = ()

    @classmethod
    def read(cls, entry: Mapping[str, object]) -> UvRequirement:
        """Return an entry; keys of newer versions of uv are passed over."""
        known = {key: str(entry[key]) for key in _TEXTS if key in entry}
        extras = entry.get("extras")
        return cls(**known, extras=tuple(map(str, extras)) if isinstance(extras, list) else ())

    @property
    def text(self) -> str:
        """The entry as it was given to uv."""
        file = self.path or self.directory or self.url
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        return f"{file}{extras}" if file else f"{self.name}{extras}{self.specifier}"


def _requirements(receipt: Path) -> list[UvRequirement]:
    """Return the entries, the studio's own first; none of a file of another form."""
    try:
        entries = tomllib.loads(receipt.read_text(encoding="utf-8"))["tool"]["requirements"]
        return [UvRequirement.read(entry) for entry in entries]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def _pairs(flag: str, values: Sequence[str]) -> list[str]:
    return [word for value in values for word in (flag, value)]
