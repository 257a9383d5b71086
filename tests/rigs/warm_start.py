"""A process that has read the studio's modules, and forks a process of its own for each command.

A start of ``studio`` takes half a second of a processor, nearly all of it imports. What a test of a
command is about comes after them. Each command still has its own process, with its own folder,
variables, streams and exit code; only modules are shared, and no state is made before the fork.
Run as a script, this file is that process.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_BEFORE_MAIN = ("PYTHON", "LD_", "LC_", "LANG", "MALLOC_", "GLIBC_")
"""Beginnings of variables that a program reads before its first line: with others than those of
this process, a command has to start from the beginning."""

_MOST = 1 << 17
_lock = threading.Lock()
_servers: dict[Path, WarmStudio] = {}
_begun: set[str] = set()


def run(
    program: Path, words: Sequence[str], cwd: Path, environment: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str] | None:
    """Run a command to its end in a fork; None where it has to be started from the beginning.

    That is so for the first command of each file of tests, so that the start itself is tested
    there, and for variables that act before the first line of a program.

    Raises:
        subprocess.TimeoutExpired: when it took longer; it has been killed.
    """
    file = os.environ.get("PYTEST_CURRENT_TEST", "").partition("::")[0]
    with _lock:
        if file not in _begun or _early(environment) != _early(os.environ):
            _begun.add(file)
            return None
        if program not in _servers:
            _servers[program] = WarmStudio(program)
        server = _servers[program]
    return server.run(words, cwd, environment, timeout)


def end() -> None:
    """End the processes of this test run."""
    with _lock:
        while _servers:
            _servers.popitem()[1].close()


def _early(environment: Mapping[str, str]) -> dict[str, str]:
    return {k: v for k, v in environment.items() if k.startswith(_BEFORE_MAIN)}


class WarmStudio:
    """The process that forks, as its user sees it; several threads may use it."""

    def __init__(self, program: Path) -> None:
        self._program = program
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(theirs.fileno()), str(program)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )

    def close(self) -> None:
        """End it; commands that run go on."""
        self._socket.close()
        self._process.wait()

    def run(
        self, words: Sequence[str], cwd: Path, environment: Mapping[str, str], timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, like ``subprocess.run`` with both streams captured."""
        task = {"words": list(words), "cwd": str(cwd), "environment": dict(environment)}
        deadline = time.monotonic() + timeout
        answers, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        (out, out_end), (err, err_end) = os.pipe(), os.pipe()
        ends = (os.open(os.devnull, os.O_RDONLY), out_end, err_end, theirs.fileno())
        with answers, open(out, "rb") as out_file, open(err, "rb") as err_file:
            try:
                with theirs:
                    socket.send_fds(self._socket, [json.dumps(task).encode()], ends)
            finally:
                for number in ends[:3]:
                    os.close(number)
            pid = int(answers.recv(_MOST))
            texts = _read({out: b"", err: b""}, deadline)
            if not texts or not select.select([answers], [], [], _left(deadline))[0]:
                os.kill(pid, signal.SIGKILL)
                answers.recv(_MOST)
                raise subprocess.TimeoutExpired(task["words"], timeout)
            code = int(answers.recv(_MOST))
            told = [_text(texts[file.fileno()]) for file in (out_file, err_file)]
        return subprocess.CompletedProcess([str(self._program), *words], code, *told)


def _read(texts: dict[int, bytes], deadline: float) -> dict[int, bytes]:
    """What comes out of pipes until both are closed; nothing when that takes too long."""
    still_open = set(texts)
    while still_open:
        ready = select.select(still_open, [], [], _left(deadline))[0]
        if not ready:
            return {}
        for number in ready:
            chunk = os.read(number, _MOST)
            texts[number] += chunk
            if not chunk:
                still_open.remove(number)
    return texts


def _text(data: bytes) -> str:
    """Text with the ends of lines that ``subprocess`` makes."""
    return data.decode().replace("\r\n", "\n").replace("\r", "\n")


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())


def serve(requests: socket.socket, program: Path) -> int:
    """Fork for each request until there are no more; the end of a fork is that of its command."""
    _import_all(program)
    running: dict[int, tuple[int, socket.socket]] = {}
    while True:
        for ready in select.select([requests, *running], [], [])[0]:
            if ready is not requests:
                pid, answers = running.pop(ready)
                os.close(ready)
                with answers:
                    _answer(answers, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
                continue
            message, numbers, _, _ = socket.recv_fds(requests, _MOST, 4)
            if not message:
                return 0
            *streams, end = numbers
            answers = socket.socket(fileno=end)
            pid = os.fork()
            if pid == 0:
                for number, other in running.items():
                    os.close(number)
                    other[1].close()
                requests.close()
                answers.close()
                return _become(json.loads(message), streams, program)
            for number in streams:
                os.close(number)
            _answer(answers, pid)
            running[os.pidfd_open(pid)] = (pid, answers)


def _answer(answers: socket.socket, number: int) -> None:
    try:
        answers.send(str(number).encode())
    except OSError:
        pass  # the test is gone; its command was left to itself


def _import_all(program: Path) -> None:
    """Import what the start of any command imports, as the program itself would."""
    sys.path[0] = str(program.parent)
    import studio.cli.commands
    import studio.cli.main
    from studio.steps.catalogue import steps

    steps()
    for module in pkgutil.iter_modules(studio.cli.commands.__path__, "studio.cli.commands."):
        importlib.import_module(module.name)
    assert threading.active_count() == 1, "a thread does not survive a fork"
    gc.collect()
    gc.freeze()


def _become(task: dict[str, object], streams: list[int], program: Path) -> int:
    """Be the process of a command, from its first line to its end."""
    for place, number in enumerate(streams):
        os.dup2(number, place)
        os.close(number)
    os.chdir(str(task["cwd"]))
    os.environ.clear()
    os.environ.update(task["environment"])  # type: ignore[arg-type]  # names and texts
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # as the first lines of the program do
    time.tzset()
    sys.argv = [str(program), *task["words"]]  # type: ignore[misc]  # texts
    from studio.cli.main import main

    return main()


if __name__ == "__main__":
    sys.exit(serve(socket.socket(fileno=int(sys.argv[1])), Path(sys.argv[2])))
