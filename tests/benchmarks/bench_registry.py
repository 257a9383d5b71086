"""A registry of a million releases: what ran when, on SQLite and on PostgreSQL.

Prints one JSON document. PostgreSQL is the server of the rig, on the loopback of this machine. Rows
are loaded without the product's own transactions, as two years of deploys would take days.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from studio.api import TargetSpec
from studio.registry import Registry
from studio.registry.activity import spelled
from studio.registry.servers.address import SharedAddress, use
from studio.registry.servers.postgres import PostgresDatabase
from studio.registry.sqlite_database import SqliteDatabase
from studio.workspace.versions import Versions
from tests.rigs.postgres import NEEDED, programs, public_folder, running

_DRIVER = "psycopg[binary]==3.3.9"
_ROUNDS = 60
_BEGUN = 1_735_689_600.0  # 2025-01-01
_YEARS_S = 2 * 365 * 86_400.0
_COLUMNS = "(target, version, digest, state, details, created)"

Row = tuple[str, None, str, str, str, str]


def moment(part: float) -> str:
    """Return a time of the two years, from 0 (the begin) to 1."""
    return spelled(datetime.fromtimestamp(_BEGUN + part * _YEARS_S, UTC))


def rows_of(targets: int, changes: int) -> Iterator[Row]:
    """Yield the releases of two years: at each time one of each target, with a deploy's steps."""
    steps = [{"name": f"step {n}", "state": "done", "text": "x" * 80} for n in range(11)]
    for number in range(changes):
        details = json.dumps({"version": number, "name": "m", "steps": steps})
        at = moment(number / changes)
        for target in range(targets):
            yield f"t{target:05}", None, f"{number:064x}", "serving", details, at


def load_file(database: SqliteDatabase, rows: Iterator[Row]) -> None:
    """Load rows into SQLite's file; a crash here loses nothing that counts."""
    database.connection.execute("PRAGMA synchronous=OFF")
    with database.write() as connection:
        connection.executemany(f"INSERT INTO releases {_COLUMNS} VALUES (?,?,?,?,?,?)", rows)
    database.connection.execute("PRAGMA synchronous=FULL")
    database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def load_server(database: PostgresDatabase, rows: Iterator[Row]) -> None:
    """Load rows into PostgreSQL, and record them among the changes as the trigger does."""
    raw = database.connection.raw
    raw.execute(b"SET statement_timeout = 0")
    raw.execute(b"ALTER TABLE releases DISABLE TRIGGER note_change")
    with raw.cursor() as cursor, cursor.copy(f"COPY releases {_COLUMNS} FROM STDIN".encode()) as to:
        for row in rows:
            to.write_row(row)
    raw.execute(
        b"INSERT INTO changes (role, client, change, subject, key)"
        b" SELECT current_user, 'bench', 'insert', 'releases', id::text FROM releases"
    )
    raw.execute(b"ALTER TABLE releases ENABLE TRIGGER note_change")
    raw.execute(b"VACUUM ANALYZE releases, changes")  # as autovacuum has done by then
    raw.execute(b"SET statement_timeout = '60s'")


def milliseconds(work: Callable[[int], Any]) -> dict[str, float]:
    """Measure wall time, as the server works in another process; the first round warms up."""
    work(0)
    times = []
    for number in range(1, _ROUNDS + 1):
        start = time.perf_counter()
        work(number)
        times.append((time.perf_counter() - start) * 1e3)
    steps = statistics.quantiles(times, n=20)
    return {"p50": round(steps[9], 1), "p95": round(steps[18], 1), "most": round(max(times), 1)}


def measure(registry: Registry, targets: int, changes: int) -> dict[str, Any]:
    """Fill a registry, and ask for other times and targets in each round."""
    begun = time.monotonic()
    for number in range(targets):
        registry.add_target(TargetSpec(f"t{number:05}", f"ssh://t{number:05}"))
    database, rows = registry._db, rows_of(targets, changes)
    if isinstance(database, PostgresDatabase):
        load_server(database, rows)
    else:
        assert isinstance(database, SqliteDatabase)
        load_file(database, rows)
    seconds, versions, dice = time.monotonic() - begun, Versions(registry), random.Random(24)
    times = [moment(dice.random()) for _ in range(_ROUNDS + 1)]
    names = [f"t{dice.randrange(targets):05}" for _ in times]
    found = {
        "releases": database.all("SELECT count(*) FROM releases")[0][0],
        "filled_s": round(seconds, 1),
        "what_ran_when_on_one_ms": milliseconds(lambda n: versions.at(times[n], names[n])),
        "what_ran_when_on_all_ms": milliseconds(lambda n: versions.at(times[n])),
        "which_serve_ms": milliseconds(lambda n: registry.history.serving()),
        "running_ms": milliseconds(lambda n: registry.history.running()),
        "newest_500_ms": milliseconds(lambda n: registry.history.all(most=500)),
        "a_new_release_ms": milliseconds(
            lambda n: registry.add_release(names[n], None, "d", "serving", {})
        ),
    }
    registry.close()
    return found


def driver(rigs: Path) -> None:
    """Make psycopg importable, which the product itself does not install."""
    home = rigs / "psycopg-3.3.9"
    if not home.is_dir():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(home)]
        subprocess.run([*command, _DRIVER], check=True, timeout=300)
    sys.path.append(str(home))


def of_files(size: tuple[int, int]) -> dict[str, Any]:
    """Measure SQLite."""
    with tempfile.TemporaryDirectory() as name:
        return measure(Registry.open(Path(name) / "files"), *size)


def of_server(rigs: Path, size: tuple[int, int]) -> dict[str, Any]:
    """Measure PostgreSQL."""
    bin_folder = programs(rigs)
    if bin_folder is None:
        raise SystemExit(NEEDED)
    driver(rigs)
    with (
        tempfile.TemporaryDirectory() as name,
        public_folder() as home,
        running(bin_folder, home / "cluster") as server,
    ):
        folder = Path(name)
        (folder / "blobs").mkdir()
        os.environ.update(server.environment)
        use(folder / "shared", SharedAddress.of(server.address(), str(folder / "blobs")))
        return measure(Registry.open(folder / "shared"), *size)


def main() -> int:
    """Measure one database or both."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--targets", type=int, default=500)
    parser.add_argument("--changes", type=int, default=2000, help="of each target")
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    parser.add_argument("--rigs", type=Path, default=Path.home() / ".cache" / "edgewright-rigs")
    given = parser.parse_args()
    size, result = (given.targets, given.changes), {}
    if given.only != "postgresql":
        result["sqlite"] = of_files(size)
    if given.only != "sqlite":
        result["postgresql"] = of_server(given.rigs, size)
    print(json.dumps({"name": "registry", "targets": given.targets, **result}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
