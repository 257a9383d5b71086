"""Capabilities of each ONNX Runtime release, from the measured table in the resources."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import field

from studio.documents.dataclass_json import from_json
from studio.lazy_dataclass import dataclass
from studio.settings import resource

_FILE = ("coverage", "onnxruntime.toml")


@dataclass(frozen=True, slots=True)
class Release:
    """Release of ONNX Runtime with its limits.

    Attributes:
        version: Major and minor (``1.19``).
        opset: Newest standard operator set.
        ir: Newest version of the file format.
    """

    version: str
    opset: int
    ir: int

    @property
    def order(self) -> tuple[int, int]:
        """For comparison."""
        return order_of(self.version)


def releases() -> tuple[Release, ...]:
    """Return every release in the table, the oldest first."""
    return _table().versions


def release_of(version: str) -> Release | None:
    """Return the release of a version, the newest for a newer version, None for an older one."""
    wanted = order_of(version)
    found = [release for release in releases() if release.order <= wanted]
    return found[-1] if found else None


def first_with(opset: int, ir: int) -> Release | None:
    """Return the oldest release that loads both, or None."""
    return next((one for one in releases() if one.opset >= opset and one.ir >= ir), None)


def first_with_type(dtype: str) -> str:
    """Return the oldest release with an element type, or "" if all have it."""
    return _table().types.get(dtype, "")


def order_of(version: str) -> tuple[int, int]:
    """Return major and minor as numbers, or (0, 0) for an invalid version."""
    parts = version.split(".")[:2]
    numbers = [int(part) if part.isdecimal() else 0 for part in parts]
    return (numbers[0], numbers[1] if len(numbers) > 1 else 0)


@dataclass(frozen=True, slots=True)
class _Table:
    """The file: the releases, and the first one that knows an element type."""

    versions: tuple[Release, ...]
    types: Mapping[str, str] = field(default_factory=dict)


@functools.cache
def _table() -> _Table:
    return from_json(_Table, tomllib.loads(resource(*_FILE).read_text(encoding="utf-8")))
