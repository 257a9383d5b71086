"""What a plugin needs, and the first of it that is missing."""

from __future__ import annotations

from collections.abc import Iterable


def missing(requires: Iterable[str]) -> tuple[str, ...]:
    """Return the requirements (PEP 508) that this environment does not meet."""
    return tuple(text for text in requires if not _is_satisfied(text))


def _is_satisfied(text: str) -> bool:
    # Imported here: they cost more than everything else in this module, and the window starts
    # without asking for any plugin.
    from importlib import metadata

    from packaging.requirements import Requirement

    requirement = Requirement(text)
    if requirement.marker is not None and not requirement.marker.evaluate():
        return True
    try:
        installed = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return False
    return requirement.specifier.contains(installed, prereleases=True)
