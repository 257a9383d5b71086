"""Sentences for people about what was made of a bundle: images, Debian packages, other forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from studio.deployment.artifacts.results import DebResult
from studio.documents.dataclass_json import JsonValue, from_json, to_json
from studio.documents.text_table import megabytes
from studio.lazy_dataclass import dataclass
from studio.packages.results import PackageResult
from studio.packages.texts import package


@dataclass(frozen=True, slots=True)
class _Made:
    """What a packager made of a bundle; what does not apply is empty.

    Attributes:
        made: Answer of any packager, by name.
        path, context: Files of an image.
        next: What is left to be done.
    """

    made: Mapping[str, JsonValue] = field(default_factory=dict)
    image: str | None = None
    image_bytes: int = 0
    path: str | None = None
    context: str | None = None
    next: str | None = None


def image(result: Mapping[str, JsonValue]) -> list[str]:
    """Return what the bundle is, and what a packager made of it."""
    found = from_json(_Made, result)
    lines = package(from_json(PackageResult, result))
    lines += [f"{name}: {value}" for name, value in found.made.items() if value]
    if found.image:
        lines.append(f"image {found.image}, {megabytes(found.image_bytes)}")
        lines += list(filter(None, (found.path, found.context, found.next)))
    return lines


def deb(result: DebResult) -> list[str]:
    """Return what the bundle is, and the Debian package that was made of it."""
    bundle = from_json(PackageResult, {"counter": 0, "new": False, **to_json(result)})
    return [
        *package(bundle),
        f"{result.deb}, {megabytes(result.deb_bytes)}",
        f"package {result.package} {result.deb_version}",
        f"for {result.architecture}, depends on {result.depends}",
        f"Install on the board with: apt install ./{result.deb.rpartition('/')[2]}",
    ]
