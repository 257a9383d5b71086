"""History of a fleet: what ran when on hundreds of targets, in the registry of years.

Prints one JSON document. The peer reads the whole history of each target, one after the other.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from studio.registry import Registry
from studio.workspace.versions import Versions

_ROUNDS = 9
_THEN = "2026-02-15T12:00:00+00:00"


def fill(registry: Registry, targets: int, changes: int) -> None:
    """Changes with details as a deploy with a trial leaves them."""
    steps = [{"name": f"step {n}", "state": "done", "text": "x" * 80} for n in range(11)]
    tests = [{"test": f"test {n}", "says": "good", "text": "x" * 80} for n in range(4)]
    for number in range(changes):
        details = {"version": number, "name": "m", "steps": steps, "soak": {"tests": tests}}
        at = f"2026-{number % 12 + 1:02}-{number // 12 + 1:02}T10:00:00.000+00:00"
        for target in range(targets):
            registry.add_release(f"t{target:04}", None, f"{number:064x}", "serving", details, at)


def milliseconds(work: Callable[[], Any]) -> float:
    """Of processor time, the median of some rounds."""
    times = []
    for _ in range(_ROUNDS):
        start = time.thread_time()
        work()
        times.append((time.thread_time() - start) * 1e3)
    return round(statistics.median(times), 1)


def filled_table() -> Callable[[], None]:
    """The window's part: as many rows as the History view shows at most."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    from studio.gui.pages.deploy.history_view import COLUMNS, MOST
    from studio.gui.widgets.tables import Table

    application = QApplication.instance() or QApplication([])
    table = Table(COLUMNS, stretch=4)
    table.resize(1100, 600)
    table.show()

    def fill_it() -> None:
        table.show_rows([[f"cell {x} of {y}" for x in range(len(COLUMNS))] for y in range(MOST)])
        application.processEvents()

    return fill_it


def measure(targets: int, changes: int) -> dict[str, Any]:
    """Fill a registry and ask it."""
    with tempfile.TemporaryDirectory() as name:
        registry = Registry.open(Path(name))
        fill(registry, targets, changes)
        names, versions = registry.history.targets(), Versions(registry)
        found = {
            "what_ran_when_ms": milliseconds(lambda: versions.at(_THEN)),
            "which_serve_ms": milliseconds(registry.history.serving),
            "versions_ms": milliseconds(versions.all),
            "peer_ms": milliseconds(lambda: [registry.releases(one) for one in names]),
        }
        registry.close()
    found["a_table_of_500_rows_ms"] = milliseconds(filled_table())
    return {"targets": targets, "changes": targets * changes, **found}


def main() -> int:
    """Measure a fleet of a size."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--targets", type=int, default=500)
    parser.add_argument("--changes", type=int, default=20, help="of each target")
    given = parser.parse_args()
    print(json.dumps({"name": "history", **measure(given.targets, given.changes)}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
