"""A registry of a million releases: what ran when, on SQLite and on PostgreSQL.

Prints one JSON document. PostgreSQL is the server of the rig, on the loopback of this machine; its
driver, psycopg, must be importable.
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
from studio.registry.activity import spelled
from studio.registry.database import Database
from studio.registry.servers.address import SharedAddress, use
from studio.workspace.versions import Versions
from tests.benchmarks.bench_history import _THEN as THEN
from tests.rigs.postgres import programs, public_folder, running

_ROUNDS = 9
_AT_ONCE = 500
_BEGUN = 1_735_689_600.0  # 2025-01-01
_YEARS_S = 2 * 365 * 86_400.0


def fill(database: Database, targets: int, changes: int) -> float:
    """Add the releases of some years, one target after the other at each time; returns seconds."""
    from datetime import UTC, datetime

    steps = [{"name": f"step {n}", "state": "done", "text": "x" * 80} for n in range(11)]
    begun = time.monotonic()
    columns = "(target, version, digest, state, details, created)"
    rows: list[tuple[Any, ...]] = []

    def flush() -> None:
        marks = ",".join(["(?,?,?,?,?,?)"] * len(rows))
        with database.write() as session:
            values = [value for row in rows for value in row]
            session.execute(f"INSERT INTO releases {columns} VALUES {marks}", values)
        rows.clear()

    for number in range(changes):
        details = json.dumps({"version": number, "name": "m", "steps": steps})
        at = spelled(datetime.fromtimestamp(_BEGUN + number * _YEARS_S / changes, UTC))
        for target in range(targets):
            rows.append((f"t{target:05}", None, f"{number:064x}", "serving", details, at))
            if len(rows) == _AT_ONCE:
                flush()
    if rows:
        flush()
    return time.monotonic() - begun


def milliseconds(work: Callable[[], Any]) -> float:
    """Of wall time, as the server works in another process: the median of some rounds."""
    times = []
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1e3)
    return round(statistics.median(times), 1)


def measure(registry: Registry, targets: int, changes: int) -> dict[str, Any]:
    """Fill a registry and ask it."""
    seconds = fill(registry._db, targets, changes)
    if registry.shared is not None:
        registry.shared.database.connection.execute("ANALYZE releases")
    versions = Versions(registry)
    found = {
        "releases": targets * changes,
        "filled_s": round(seconds, 1),
        "what_ran_when_on_one_ms": milliseconds(lambda: versions.at(THEN, "t00007")),
        "what_ran_when_on_all_ms": milliseconds(lambda: versions.at(THEN)),
        "which_serve_ms": milliseconds(registry.history.serving),
        "running_ms": milliseconds(registry.history.running),
        "a_new_release_ms": milliseconds(
            lambda: registry.add_release("t00007", None, "d", "serving", {})
        ),
    }
    registry.close()
    return found


def main() -> int:
    """Measure both databases."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--targets", type=int, default=500)
    parser.add_argument("--changes", type=int, default=2000, help="of each target")
    parser.add_argument("--rigs", type=Path, default=Path.home() / ".cache" / "edgewright-rigs")
    given = parser.parse_args()
    size = (given.targets, given.changes)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        result = {"sqlite": measure(Registry.open(folder / "files"), *size)}
        bin_folder = programs(given.rigs)
        if bin_folder is not None:
            (folder / "blobs").mkdir()
            with public_folder() as home, running(bin_folder, home / "cluster") as server:
                os.environ.update(server.environment)
                use(folder / "shared", SharedAddress.of(server.address(), str(folder / "blobs")))
                result["postgresql"] = measure(Registry.open(folder / "shared"), *size)
    print(json.dumps({"name": "registry", "targets": given.targets, **result}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
