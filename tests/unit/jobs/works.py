"""Small works for the tests of the job runner; they run in real workers."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Any

from studio.api import InvalidModel, UnknownHost
from studio.jobs import Arguments, Job, Result


def add(arguments: Arguments, job: Job) -> Result:
    """Two numbers, with progress, chatter and a file."""
    for step in range(3):
        job.progress(step + 1, 3, f"step {step + 1}")
    os.write(1, b"native chatter on standard output\n")
    job.event("partial", value=1)
    job.log("added")
    (job.folder / "sum.txt").write_text(str(arguments["a"] + arguments["b"]))
    return {"sum": arguments["a"] + arguments["b"]}


def log_much(arguments: Arguments, job: Job) -> Result:
    """Log in every way."""
    log = logging.getLogger("studio.works")
    job.log("a line for the user")
    log.debug("a detail", extra={"target": "board-7"})
    log.warning("token=hunter2")
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        log.exception("it failed")
    thread = threading.Thread(target=lambda: [][0])
    thread.start()
    thread.join()
    return {}


def flood(arguments: Arguments, job: Job) -> Result:
    """Log without measure."""
    log = logging.getLogger("studio.works")
    for number in range(5000):
        job.log(f"line {number}")
        log.error("x" * 1000, extra={"number": number})
    return {}


def refuse(arguments: Arguments, job: Job) -> Result:
    """Fail on purpose."""
    raise InvalidModel("This is not a model.", hint="Try another.")


def unknown_host(arguments: Arguments, job: Job) -> Result:
    """Fail with an error that carries fields."""
    raise UnknownHost("First contact.", key="ssh-ed25519 AAAA", fingerprint="SHA256:x")


def defect(arguments: Arguments, job: Job) -> Result:
    """Fail by a defect."""
    raise ZeroDivisionError("division by zero")


def crash(arguments: Arguments, job: Job) -> Result:
    """Die of a signal."""
    os.kill(os.getpid(), signal.SIGSEGV)
    return {}


def hang(arguments: Arguments, job: Job) -> Result:
    """Never end; with ``deaf`` without a progress point."""
    job.progress(0, 0, "hanging")
    while True:
        time.sleep(0.02)
        if not arguments.get("deaf"):
            job.check()


def fill(arguments: Arguments, job: Job) -> Result:
    """Write to a disk that is always full."""
    with open("/dev/full", "w") as file:
        file.write("x" * 100_000)
    return {}


def eat(arguments: Arguments, job: Job) -> Result:
    """Take memory until there is none."""
    chunks = []
    while True:
        chunks.append(bytearray(1 << 24))


def eat_together(arguments: Arguments, job: Job) -> Result:
    """Take memory in several processes, in each less than its limit."""
    for _ in range(arguments["processes"]):
        if os.fork() == 0:
            chunk = bytearray(os.urandom(1 << 20)) * arguments["each_mb"]
            while chunk:
                time.sleep(60)
    job.progress(0, 0, "eating")
    while True:
        time.sleep(60)


def look(arguments: Arguments, job: Job) -> Result:
    """What a worker can reach."""
    found: dict[str, Any] = {
        "home": _names(arguments["home"]),
        "network": _network(arguments["port"]),
    }
    found["readable"] = [path for path in arguments["paths"] if os.access(path, os.R_OK)]
    found["writable"] = _writable(Path(arguments["paths"][0]).parent)
    found["telemetry"] = os.environ["ORT_DISABLE_TELEMETRY"]
    found["secret"] = os.environ.get("AWS_SECRET_ACCESS_KEY", "")
    return found


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []


def _network(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _writable(folder: Path) -> bool:
    try:
        (folder / "written").write_text("x")
    except OSError:
        return False
    return True


class UnheardOfFault(Exception):
    """An exception of a library that the studio has never met."""


def unforeseen(*given: object) -> Result:
    """Fail as nobody foresaw, whatever the options."""
    raise UnheardOfFault("knot 4711")
