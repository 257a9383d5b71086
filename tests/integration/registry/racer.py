"""Studios that change a shared registry over and over, each a process of its own.

``racer.py`` reads lines ``SOCKET FOLDER NAME``. For each it forks a studio, which takes its orders
from the socket: the first number and how many rounds. A fork begins in milliseconds; a new Python
would import for a second. The studio reports each step before it begins.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from multiprocessing.connection import Client
from pathlib import Path

from studio.api import StudioError, TargetSpec
from studio.registry import Registry, activity

Report = Callable[[str, str], None]
STEPS = ("model", "file", "variant", "bundle", "version", "alias", "release", "target", "group")


def change(registry: Registry, name: str, number: int, step: Callable[[str], None]) -> None:
    """Make one change of each kind that reads before it writes."""
    file = registry.folder.parent / f"{name}-{number}.onnx"
    file.write_bytes(f"weights of {name} {number}".encode())
    step("model")
    model = registry.add_model("race")
    step("file")
    artifact = registry.adopt(file)
    step("variant")
    variant = registry.add_variant(model, "fp32", artifact, format="onnx", precision="fp32")
    bundle = registry.folder.parent / f"{name}-{number}"
    bundle.mkdir(exist_ok=True)
    (bundle / "manifest.json").write_text(f"{name} {number}")
    step("bundle")
    kept = registry.adopt(bundle)
    step("version")
    version = registry.add_version(model, variant.id, kept, f"{name}-{number}", number)
    step("alias")
    registry.ledger.move_alias(model, "prod", version.id, why=name, evidence={}, by=name)
    step("release")
    registry.add_release("board", version.id, version.digest, "serving", {"by": name})
    step("target")
    registry.add_target(TargetSpec(f"{name}-{number}", "ssh://board"))
    step("group")
    members = registry.groups.all().get(name, [])
    registry.groups.set(name, [*members, f"{name}-{number}"])


def _round(registry: Registry, name: str, number: int, report: Report) -> None:
    key = f"{name}-{number}"
    report("begun", key)
    try:
        change(registry, name, number, lambda step: report("step", step))
    except StudioError as error:
        report("failed", f"{error.message} {error.detail}")
    else:
        report("saved", key)


def study(socket: str, folder: Path, name: str) -> None:
    """Follow the orders of a test until it closes the socket."""
    with Client(socket, family="AF_UNIX") as door:

        def report(kind: str, text: str) -> None:
            door.send((kind, text, time.time()))

        report("ready", str(os.getpid()))
        registry = Registry.open(folder)
        while True:
            first, rounds = door.recv()
            for number in range(first, first + rounds):
                _round(registry, name, number, report)


def set_clock(ahead_s: float) -> None:
    """Let the clock of this process be wrong, where Python and the registry read it."""
    right = time.time
    time.time = lambda: right() + ahead_s
    activity.now = lambda: activity.spelled(datetime.fromtimestamp(time.time(), UTC))


def main() -> None:
    """Fork a studio for each line."""
    import boto3  # noqa: F401 - imported once, before the forks
    import psycopg  # noqa: F401 - as above

    set_clock(float(os.environ.get("AHEAD_S", "0")))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the killed ones
    while line := sys.stdin.readline():
        socket, folder, name = line.split()
        if os.fork() == 0:
            try:
                study(socket, Path(folder), name)
            except (EOFError, OSError):  # the test has ended
                os._exit(0)
            except BaseException as error:
                print(repr(error), file=sys.stderr, flush=True)
                os._exit(1)


if __name__ == "__main__":
    main()
