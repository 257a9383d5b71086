"""Results of the steps about plugins: environments, and the check of a plugin's folder."""

from __future__ import annotations

from collections.abc import Mapping

from studio.documents.dataclass_json import optional
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class InstallResult:
    """An environment that was made.

    Attributes:
        name: The plugin or the runtime, as the user named it.
        requirements: SHA-256 of the lock that it was made from.
        python: Version of its interpreter.
        versions: Installed distributions by name.
        folder: Its place; empty before the record is made.
        existing: It was there before, up to date.
    """

    name: str
    plugin: str
    requirements: str
    python: str
    versions: Mapping[str, str]
    bytes: int
    folder: str = optional("")
    existing: bool = optional(False)


@dataclass(frozen=True, slots=True)
class RemoveResult:
    """An environment that was removed."""

    name: str
    plugin: str
