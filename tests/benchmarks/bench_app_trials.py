"""Trials of apps on a real machine: versions that are equal, and versions that lose a tenth.

    python -m tests.benchmarks.bench_app_trials --trials 20

Prints one JSON document. The machine is a folder of releases whose verbs run as processes, with
the server of a board. The film is played in a loop at 100 frames a second. Each trial deploys a new
version next to the first one; it loses each event with a given probability, by a seed of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from studio.packages.bundle import Bundle
from tests.rigs.apps import app_bundle, make_app
from tests.unit.runtime.release.machine import Machine, machine

FPS = 100.0
FRAMES = 3000
LIMIT_S = 60
LOST = {"equal": 0.0, "a tenth lost": 0.1}
_LOOP = "realtime = true\nloop = true"
_OWN = "[steps.own]\ntype = 'python'\ninput = 'gate'\ntakes = 'events'\nfile = 'own.py'\n"
_FILE = """\
import random

CHANCE = random.Random({seed})


def process(stamp, value, state):
    kept = [one for one in value if CHANCE.random() >= {lost}]
    return [{{"kind": one.kind, **one.details}} for one in kept]
"""


def write_app(folder: Path, lost: float, seed: int) -> None:
    """Write an app whose own step passes on its crossings, but for some."""
    make_app(folder, frames=FRAMES, seed=1, source=_LOOP, fps=FPS, top='files = ["film.avi"]')
    path = folder / "app.toml"
    text = path.read_text().replace('type = "file"\ninput = "gate"', 'type = "file"\ninput = "own"')
    path.write_text(text.replace("[sinks.log]", _OWN + "[sinks.log]"))
    (folder / "own.py").write_text(_FILE.format(lost=lost, seed=seed))


def bundle_of(folder: Path, version: int, lost: float, seed: int) -> Bundle:
    """Package a version."""
    app = folder / f"app-{version}"
    write_app(app, lost, seed)
    return app_bundle(folder, app, version)


def trial(board: Machine, bundle: Bundle) -> dict[str, Any]:
    """Deploy a version with a trial, and return its evidence; the first version serves again."""
    before = board.state["current"]
    board.ready(bundle)
    began = time.monotonic()
    answer = board.call("switch", release=bundle.digest, soak_s=LIMIT_S, quality={})
    spent = time.monotonic() - began
    board.ok("end")
    board.token = ""
    kept = answer["event"] == "result"
    found = answer["soak"] if kept else json.loads(answer["detail"])
    agreement = next(one for one in found["tests"] if one["test"] == "agreement")
    row = {
        "decision": found["decision"],
        "serves": "new" if board.state["current"] == bundle.digest else "before",
        "differ": agreement["events"],
        "of": agreement["of"],
        "seconds": found["seconds"],
        "switch_s": round(spent, 1),
    }
    if kept:
        board.begin(before)
        board.ok("rollback", to=before)
        board.ok("gc")
        board.ok("end")
        board.token = ""
    return row


def main() -> int:
    """Hold all trials, the two kinds one after the other."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=20, help="of each kind")
    parser.add_argument("--seed", type=int, help="of the first version; a fresh one by default")
    given = parser.parse_args()
    first = secrets.randbelow(10**6) if given.seed is None else given.seed
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in LOST}
    with tempfile.TemporaryDirectory() as name, machine(Path(name) / "root") as board:
        folder = Path(name)
        board.deploy(bundle_of(folder, 1, 0.0, 0))
        for number in range(given.trials):
            for at, (kind, lost) in enumerate(LOST.items()):
                version = 2 + 2 * number + at
                row = trial(board, bundle_of(folder, version, lost, first + version))
                rows[kind].append(row)
                print(kind, json.dumps(row), file=sys.stderr, flush=True)
    document = {
        "name": "app trials",
        "seed": first,
        "decisions": {
            kind: dict(Counter(row["decision"] for row in some)) for kind, some in rows.items()
        },
        "rows": rows,
        "load": os.getloadavg()[0],
    }
    print(json.dumps(document, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
