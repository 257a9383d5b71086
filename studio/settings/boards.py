"""The catalogue of boards: what a board of a kind has, and what its systems bring along."""

from __future__ import annotations

import fnmatch
import functools
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import field, fields
from pathlib import Path
from typing import Any

from studio.documents.toml_text import loads
from studio.lazy_dataclass import dataclass
from studio.settings.resources import resource

ARCHITECTURES = ("aarch64", "armv7l", "x86_64")
OLDEST_PYTHON = (3, 8)
"""Of the runtime that is sent to boards."""


class WrongBoard(ValueError):
    """A file of the catalogue does not say what it should, in one sentence."""


@dataclass(frozen=True, slots=True)
class Image:
    """A system that boards of this kind are delivered or installed with.

    Attributes:
        name: As its maker calls it: ``JetPack 6``.
        match: Patterns of ``TargetFacts.image`` or ``TargetFacts.os``, with ``*``.
        onnxruntime: The newest release that has a wheel for it; empty where none has.
    """

    name: str
    python: str
    glibc: str
    onnxruntime: str = ""
    match: tuple[str, ...] = ()

    @property
    def serves(self) -> bool:
        """Whether a model can be served on it with what the studio sends."""
        return bool(self.onnxruntime) and _numbers(self.python) >= OLDEST_PYTHON


@dataclass(frozen=True, slots=True)
class Board:
    """One kind of board.

    Attributes:
        id: Name of its file.
        match: Patterns of the device tree's model or of the processor, with ``*``.
        compatible: Words of the device tree (``rockchip,rk3588``), where models have many names.
        memory_mb: The sizes in which it is sold, as printed on the box.
        accelerators: What it can have beside its processor.
        chips: Names of those that models can be checked for, the fastest first.
        images: The newest first.
        source: Where this is known from.
    """

    id: str
    title: str
    arch: str
    source: str
    memory_mb: tuple[int, ...]
    images: tuple[Image, ...]
    match: tuple[str, ...] = ()
    compatible: tuple[str, ...] = ()
    accelerators: tuple[str, ...] = ()
    chips: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def image_of(self, *names: str) -> Image | None:
        """Return the system of this kind that goes by one of these names."""
        for name in filter(None, names):
            for image in self.images:
                if _fits(name, image.match):
                    return image
        return None

    @property
    def usual(self) -> Image:
        """The image of a new board."""
        return self.images[0]


@functools.cache
def boards() -> tuple[Board, ...]:
    """Return the whole catalogue, by name; the generic ones last."""
    found = (read(path) for path in sorted(resource("boards").glob("*.toml")))
    return tuple(sorted(found, key=lambda board: (board.id.startswith("generic"), board.id)))


def names() -> tuple[str, ...]:
    """Return the names of the catalogue, which costs no reading of it; the generic ones last."""
    found = (path.stem for path in resource("boards").glob("*.toml"))
    return tuple(sorted(found, key=lambda name: (name.startswith("generic"), name)))


def board(name: str) -> Board:
    """Return a board by its name.

    Raises:
        KeyError: with the known names, when the name is unknown.
    """
    for one in boards():
        if one.id == name:
            return one
    raise KeyError(", ".join(one.id for one in boards()))


def match(model: str, arch: str, cpu: str = "", compatible: Iterable[str] = ()) -> Board | None:
    """Return the kind of board that fits the facts, or a generic one of the architecture."""
    words = frozenset(compatible)
    for one in boards():
        named = any(_fits(name, one.match) for name in (model, cpu) if name)
        if named or words & frozenset(one.compatible):
            return one
    return next((one for one in boards() if one.id == f"generic-{arch}"), None)


def read(path: Path) -> Board:
    """Read one file, strictly.

    Raises:
        WrongBoard: naming the file and what is wrong.
    """
    try:
        values = loads(path.read_text(encoding="utf-8"))
        return _board(path.stem, values)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError, ValueError) as error:
        raise WrongBoard(f"{path.name}: {error}") from None


def _board(name: str, values: Mapping[str, Any]) -> Board:
    images = tuple(_image(one) for one in values.get("images") or ())
    checked = _checked(Board, values, leave=("id", "images"))
    made = Board(**{**checked, "id": name, "images": images})
    if made.arch not in ARCHITECTURES:
        raise ValueError(f"arch is {made.arch!r}, not one of {', '.join(ARCHITECTURES)}")
    if not images:
        raise ValueError("it has no [[images]]")
    if not made.memory_mb or min(made.memory_mb) <= 0:
        raise ValueError("memory_mb has to be a list of megabytes")
    return made


def _image(values: Mapping[str, Any]) -> Image:
    made = Image(**_checked(Image, values))
    for name in ("python", "glibc"):
        if not _numbers(getattr(made, name)):
            raise ValueError(f"{name} of {made.name!r} is no version")
    return made


def _checked(
    kind: type[Board | Image], values: Mapping[str, Any], leave: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return the checked values for a dataclass: known names, right types, lists as tuples."""
    known = {one.name: str(one.type) for one in fields(kind) if one.name not in leave}
    strange = sorted(set(values) - set(known) - set(leave))
    if strange:
        raise ValueError(f"{strange[0]!r} is not a key of it")
    made: dict[str, Any] = {}
    for name, value in values.items():
        if name in leave:
            continue
        of = int if "int" in known[name] else str
        many = known[name].startswith("tuple")
        items = value if many and isinstance(value, list) else [value]
        if many != isinstance(value, list) or not all(type(one) is of for one in items):
            raise ValueError(f"{name} has to be {'a list of ' if many else ''}{of.__name__}")
        made[name] = tuple(value) if many else value
    return made


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)


def _numbers(version: str) -> tuple[int, ...]:
    words = version.split(".")
    return tuple(map(int, words)) if all(word.isdecimal() for word in words) else ()
