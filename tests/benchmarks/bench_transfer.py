"""Models on their way to a board, beside scp and rsync, in turns, over a near link and a far one.

The board is a real SSH server in a network namespace. Each of the three opens a connection of its
own and ends when the file is there; the studio also asks what is missing, verifies what arrived by
its SHA-256 and flushes it to the disk, which the other two do not. Where rsync is not installed,
its figures are null.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from studio.api import Silent, TargetSpec
from studio.deployment.machine.release_client import ReleaseClient
from studio.deployment.machine.upload import Outgoing, Upload
from studio.packages import Bundle, ZipApplication, build_runtime
from studio_ssh.connection import bytes_moved
from studio_ssh.target import SshTarget
from tests.benchmarks.recogniser import two_versions
from tests.rigs.boards import Board, network
from tests.rigs.bundles import QuietJob
from tests.rigs.delay import long_way

FAR_MS = 50.0
"""Of a round trip."""

HAS_RSYNC = shutil.which("rsync") is not None


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        first, second, changed = two_versions(folder)
        runtime = build_runtime(folder)
        net = stack.enter_context(network())
        board = stack.enter_context(Board(net, folder / "board"))
        far = stack.enter_context(long_way(board.pid, "198.18.254", FAR_MS / 2))
        found = {
            "model_bytes": sum(file.size for file in _model(first)),
            "near": _whole(_Way(board, board.address, runtime, folder), first, given.rounds),
            "far": _whole(_Way(board, far, runtime, folder), first, given.rounds),
            "round_trip_ms": FAR_MS,
            "changed_head": _changed(
                _Way(board, board.address, runtime, folder), first, second, changed
            ),
            "load": os.getloadavg()[0],
        }
    print(json.dumps(found, indent=1))
    return 0


class _Way:
    """One address of the board, and the three ways to send something there."""

    def __init__(self, board: Board, address: str, runtime: ZipApplication, folder: Path) -> None:
        self._board, self._runtime = board, runtime
        self._url = f"root@{address}"
        self._spec = TargetSpec(
            "board", f"ssh://{self._url}", board.host_key, {"key_file": str(board.key_file)}
        )
        known = folder / f"known-{address}"
        known.write_text(f"{address} {board.host_key}\n")
        self._ssh = ["ssh", "-F", "none", "-i", str(board.key_file), "-o", "BatchMode=yes"]
        self._ssh += ["-o", f"UserKnownHostsFile={known}", "-o", "IdentitiesOnly=yes"]
        self._count = 0
        self._job = QuietJob(folder / "sending")
        self.wire = 0

    def prepare(self) -> None:
        """The studio's runtime is there after the first deploy; a folder for the next."""
        self._count += 1
        root = f"/root/r{self._count}"
        self._board.run("mkdir", "-p", f"{root}/runtime", "/root/there")
        place = self._board.home / f"r{self._count}" / "runtime"
        (place / f"{self._runtime.digest}.pyz").write_bytes(self._runtime.path.read_bytes())

    def forget(self) -> None:
        """Take away what was sent."""
        self._board.run("sh", "-c", "rm -rf /root/there/* /root/r*")

    def studio(self, files: list[Outgoing]) -> None:
        """Connect, claim, ask, send, verify."""
        channel = SshTarget().connect(self._spec, Silent())
        try:
            root = f"/root/r{self._count}"
            agent = ReleaseClient(channel, root, "python3", self._runtime, "ann@desk", "board")
            delivery = Upload(files, self._job)
            wanted = {"blobs": {one.digest: one.size for one in files}}
            agent.call("transfer", wanted, watch=delivery.watch, frames=delivery.frames())
            self.wire = bytes_moved(channel.transport).sent
        finally:
            channel.close()

    def scp(self, files: list[Outgoing]) -> None:
        """The same files by scp."""
        _done(["scp", "-q", *self._ssh[1:], *(str(f.path) for f in files), f"{self._url}:there/"])

    def rsync(self, files: list[Outgoing]) -> None:
        """The same files by rsync."""
        words = ["rsync", "-e", " ".join(self._ssh), *(str(one.path) for one in files)]
        _done([*words, f"{self._url}:there/"])

    def rsync_bytes(self, path: Path) -> int:
        """What rsync sends for a file of which it finds an older one."""
        words = ["rsync", "--stats", "--ignore-times", "-e", " ".join(self._ssh), str(path)]
        said = _done([*words, f"{self._url}:there/"])
        line = next(one for one in said.splitlines() if one.startswith("Total bytes sent"))
        return int(line.partition(":")[2].replace(",", ""))


def _whole(way: _Way, bundle: Bundle, rounds: int) -> dict[str, Any]:
    """Seconds of each way for a whole model that is not there, in turns."""
    files = _model(bundle)
    ways: dict[str, Callable[[list[Outgoing]], None]] = {
        "studio": way.studio,
        "scp": way.scp,
    }
    if HAS_RSYNC:
        ways["rsync"] = way.rsync
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, send in ways.items():
            way.prepare()
            began = time.perf_counter()
            send(files)
            if turn:  # the first of each warms up
                seconds[name].append(time.perf_counter() - began)
            way.forget()
    paired = [one / other for one, other in zip(seconds["studio"], seconds["scp"], strict=True)]
    medians = {name: round(statistics.median(values), 4) for name, values in seconds.items()}
    return {
        "seconds": {"rsync": None, **medians},
        "studio_to_scp": round(statistics.median(paired), 3),
        "rounds": rounds,
    }


def _changed(way: _Way, first: Bundle, second: Bundle, changed: int) -> dict[str, Any]:
    """What a second version with another head puts on the wire, all of its files and questions."""
    way.prepare()
    way.studio(_all(first))
    way.studio(_all(second))
    wire = way.wire
    sent = _changed_by_rsync(way, first, second) if HAS_RSYNC else None
    way.forget()
    return {
        "changed_bytes": changed,
        "wire_bytes": wire,
        "share": round(wire / changed, 4),
        "rsync_share": None if sent is None else round(sent / changed, 4),
    }


def _changed_by_rsync(way: _Way, first: Bundle, second: Bundle) -> int:
    """What rsync sends of the second version's file when it finds the first there."""
    old, new = (bundle.folder.parents[1] / "whole.onnx" for bundle in (first, second))
    way.rsync_bytes(old)
    return way.rsync_bytes(new)


def _model(bundle: Bundle) -> list[Outgoing]:
    return [one for one in _all(bundle) if not one.name.startswith("golden/")]


def _all(bundle: Bundle) -> list[Outgoing]:
    return [Outgoing(f.name, f.path, f.digest, f.size) for f in bundle.files]


def _done(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
