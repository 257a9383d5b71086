"""What a plugin needs, and the first of it that is missing."""

from __future__ import annotations

import re
from collections.abc import Iterable

from studio.settings.distributions import installed_version

_PLAIN = re.compile(r"([A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)(?:>=([0-9]+(?:\.[0-9]+)*))?", re.ASCII)
_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)*")
"""Forms of a requirement and of a version that are compared without ``packaging``."""


def missing(requires: Iterable[str]) -> tuple[str, ...]:
    """Return the requirements (PEP 508) that this environment does not meet."""
    return tuple(text for text in requires if not _is_satisfied(text))


def _is_satisfied(text: str) -> bool:
    if (plain := _PLAIN.fullmatch(text)) is not None:
        name, least = plain.groups()
        installed = installed_version(name)
        if installed is None or least is None:
            return installed is not None
        if _NUMBERS.fullmatch(installed):
            return _parts(installed) >= _parts(least)
    return _is_satisfied_by_packaging(text)


def _parts(version: str) -> list[int]:
    """Return the numbers of a version without its last zeros: 7 and 7.0 are one version."""
    parts = [int(part) for part in version.split(".")]
    while parts and not parts[-1]:
        parts.pop()
    return parts


def _is_satisfied_by_packaging(text: str) -> bool:
    # Imported here: it compiles patterns for longer than all plugins are read.
    from packaging.requirements import Requirement

    requirement = Requirement(text)
    if requirement.marker is not None and not requirement.marker.evaluate():
        return True
    installed = installed_version(requirement.name)
    return installed is not None and requirement.specifier.contains(installed, prereleases=True)
