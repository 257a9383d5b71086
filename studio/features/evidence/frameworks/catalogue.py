"""The frameworks that ship with the studio, and the files of the user."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from pathlib import Path

from studio.api import UsageError
from studio.documents.toml_text import no_such
from studio.features.evidence.frameworks.parser import Cited, read_framework
from studio.features.evidence.frameworks.results import Framework
from studio.settings.resources import resource

ORDER = ("eu-ai-act", "nist-ai-rmf", "iso-42001", "us-co-sb26-189", "us-tx-hb149")
"""Files of ``resources/frameworks``, each named by the id of its framework."""
MOST_OWN = 20


@functools.cache
def shipped() -> tuple[Framework, ...]:
    """Return the frameworks that ship with the studio."""
    return tuple(read_framework(resource("frameworks", f"{name}.toml")) for name in ORDER)


def frameworks(files: Iterable[Path] = ()) -> tuple[Framework, ...]:
    """Return the shipped frameworks, then those of the user's files.

    Raises:
        UsageError: when a file is wrong, or has the id of another framework.
    """
    found = {one.id: one for one in shipped()}
    for number, file in enumerate(files, 1):
        if number > MOST_OWN:
            raise UsageError(f"Up to {MOST_OWN} framework files can be read at once.")
        own = read_framework(file, section_ids(found.values()), own=True)
        if own.id in found:
            hint = "Give it an id of its own."
            raise UsageError(f"{file.name}: the id {own.id!r} is taken.", hint=hint)
        found[own.id] = own
    return tuple(found.values())


def framework(name: str, known: Iterable[Framework]) -> Framework:
    """Return one of several frameworks by its id.

    Raises:
        UsageError: when it is unknown, with the nearest one.
    """
    by_id = {one.id: one for one in known}
    if name in by_id:
        return by_id[name]
    reason, hint = no_such(name[:80], by_id, "framework")
    raise UsageError(f"{reason[0].upper()}{reason[1:]}", hint=hint)


def section_ids(known: Iterable[Framework]) -> Cited:
    """Return the ids of all sections, by framework."""
    return {one.id: frozenset(section.id for section in one.sections) for one in known}
