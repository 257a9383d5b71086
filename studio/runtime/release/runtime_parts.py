"""The parts of the runtime that a release is run with."""

from __future__ import annotations

import json
import os
import sys

from ..decisions.config import config_in
from ..fleet.settings import FILE as FLEET
from ..parts import packed_in, with_needs
from ..shared.errors import ReleaseError
from ..shared.files import write_atomically
from ..shared.manifest import Manifest
from .board import Board
from .store.layout import Layout


def check_parts(layout: Layout, runtime: str, what: Manifest) -> None:
    """Refuse a release whose runtime lacks one of its parts.

    Args:
        runtime: SHA-256 of the zip application.

    Raises:
        LoadError: for a part that this release machine does not know.
        ReleaseError: for a part that the application lacks.
    """
    lacking = with_needs(what.parts or ())
    if lacking:
        lacking -= packed_in(str(layout.runtime(runtime)))
    if lacking:
        raise ReleaseError(
            "missing-part",
            "The runtime on this target has no part {}, which version {} of {} needs.".format(
                ", ".join(sorted(lacking)), what.version, what.name
            ),
            "Deploy the release again. On a board that pulls, first set up its client again "
            "(studio target pull).",
        )


def switched_on(layout: Layout) -> frozenset[str]:
    """Return the parts that this target needs whatever its release is."""
    decisions, fleet = config_in(layout.run), layout.access / FLEET
    names = {"decisions": decisions is not None and decisions.on, "fleet": fleet.exists()}
    return with_needs(name for name, on in names.items() if on)


def provide_parts(board: Board, digest: str) -> None:
    """Run a release with this application where its own lacks what is switched on here.

    A release that was there before a record of decisions, say, continues the record.
    """
    layout, wanted = board.layout, switched_on(board.layout)
    own = layout.runtimes / os.path.basename(sys.argv[0])
    if not wanted or not own.is_file():
        return
    binding = board.binding(digest)
    bound = layout.runtimes / binding.runtime
    before = packed_in(str(bound)) if bound.is_file() else wanted
    if wanted <= before or not (wanted | before) <= packed_in(str(own)):
        return
    content = json.dumps(binding._replace(runtime=own.name)._asdict(), sort_keys=True)
    write_atomically(layout.binding(digest), content.encode())
    board.journal.append("runtime", release=digest, parts=sorted(wanted - before))
