"""The versions and licences of the parts that the studio is made of, as they are installed."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from importlib import metadata

from studio import __version__
from studio.lazy_dataclass import dataclass

PRODUCT = "edgewright"
UNKNOWN = "not stated"
_LONGEST = 48
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")
_FIRST = ("pyside6-essentials", "onnxruntime", "onnx", "numpy")
_LICENCE = "License :: "


@dataclass(frozen=True, slots=True)
class InstalledPart:
    """A part with its version and its licence (an SPDX expression where it states one)."""

    name: str
    version: str
    licence: str = UNKNOWN


def installed_parts() -> tuple[InstalledPart, ...]:
    """Return the studio, Python and every installed package that the studio requires."""
    own = InstalledPart("Edgewright", __version__, "Apache-2.0")
    python = InstalledPart("Python", platform.python_version(), "PSF-2.0")
    found = {_plain(part.name): part for part in _required()}
    first = [found.pop(name) for name in _FIRST if name in found]
    return (own, python, *first, *(found[name] for name in sorted(found)))


def versions_text(parts: tuple[InstalledPart, ...]) -> str:
    """Return the versions for a bug report, a line each, with the system."""
    lines = [f"{part.name} {part.version}" for part in parts]
    return "\n".join([*lines, f"{platform.system()} {platform.release()}, {platform.machine()}"])


def _required() -> Iterator[InstalledPart]:
    """Yield the installed packages that the studio requires, and those that these require."""
    left, seen = [PRODUCT], {PRODUCT}
    while left:
        name = left.pop()
        try:
            package = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # of an extra or of another system
        if name != PRODUCT:
            yield InstalledPart(package.name, package.version, _licence(package))
        for line in package.requires or ():
            match = _NAME.match(line)
            needed = _plain(match.group()) if match and "extra ==" not in line else ""
            if needed and needed not in seen:
                seen.add(needed)
                left.append(needed)


def _plain(name: str) -> str:
    """Return a package's name as an index normalizes it."""
    return name.lower().replace("_", "-").replace(".", "-")


def _licence(package: metadata.Distribution) -> str:
    facts = package.metadata
    expression = (facts.get_all("License-Expression") or [""])[0]
    text = (facts.get_all("License") or [""])[0].strip()
    if len(text) > _LONGEST or "\n" in text:
        text = ""  # the whole licence
    classifiers = facts.get_all("Classifier") or []
    names = [one.rpartition(" :: ")[2] for one in classifiers if one.startswith(_LICENCE)]
    return expression or text or ", ".join(names) or UNKNOWN
