"""A soak of one app with four cameras: kills, a clock that jumps, and the memory of the server.

Prints one JSON document. Each camera is a process whose crossings are known. Every few minutes
one of them is killed and started again with another scene, and the wall clock of the server is
moved by up to an hour (libfaketime; the monotonic clock is left alone). An event without a true
crossing would be a doubled or invented one; crossings while a camera is away are not expected.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from studio.runtime.apps.event_match import match_events
from tests.rigs.apps import app_bundle, make_app
from tests.unit.runtime.serve.rig import ServerProcess

_FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
_MARGIN_S = 3.0
"""Around each moment at which a camera comes or goes: crossings there are not judged."""


class Camera:
    """A camera that is killed and started again at its port.

    Attributes:
        truth: Its crossings, with their time on the monotonic clock.
        changes: Moments at which it came or went.
    """

    def __init__(self, name: str, seed: int) -> None:
        self.name = name
        self.port = 0
        self.truth: list[dict[str, Any]] = []
        self.changes: list[float] = []
        self._seed = seed
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it with a scene of its own."""
        self._seed += 1
        words = [sys.executable, "-m", "tests.rigs.scene_camera", str(self.port)]
        words += ["--seed", str(self._seed), "--fps", "10"]
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = json.loads(self._process.stdout.readline())["port"]
        self.changes.append(time.monotonic())
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()

    def kill(self) -> None:
        """Kill it, as a power cut would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(20)
        self.changes.append(time.monotonic())

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            row = json.loads(line)
            self.truth.append({"kind": "crossing", "source": self.name, **row})


class Server:
    """The server with the app, and its events on the clock of the cameras."""

    def __init__(self, folder: Path, cameras: list[Camera]) -> None:
        app = folder / "lanes"
        make_app(app, frames=4)
        (app / "app.toml").write_text(_document(cameras))
        bundle = app_bundle(folder, app)
        self._clock = folder / "clock"
        self.jump(0)
        self.process = ServerProcess(
            f"--bundle={bundle.folder}",
            log=folder / "server.log",
            EDGEWRIGHT_APP_DATA=str(folder / "data"),
            LD_PRELOAD=_FAKETIME,
            FAKETIME_TIMESTAMP_FILE=str(self._clock),
            FAKETIME_NO_CACHE="1",
            DONT_FAKE_MONOTONIC="1",
        )
        self.events: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._newest = ""

    def jump(self, seconds: int) -> None:
        """Move the wall clock of the server."""
        beside = self._clock.with_suffix(".new")
        beside.write_text(f"{seconds:+d}")
        beside.replace(self._clock)

    def collect(self) -> list[dict[str, Any]]:
        """Return the events since the last look."""
        path = f"/edgewright/app/events?limit=1000&after={self._newest or 'none'}"
        _, found = self.process.get(path)
        if found.get("events"):
            self._newest = found["events"][-1]["id"]
        return list(found.get("events", ()))

    def state(self) -> dict[str, Any]:
        """Return the state of the app."""
        return dict(self.process.get("/edgewright/app")[1])

    def memory_mb(self) -> float:
        """Return its resident memory."""
        text = Path(f"/proc/{self.process.process.pid}/statm").read_text()
        return int(text.split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def descriptors(self) -> int:
        """Return the number of its open files."""
        return len(os.listdir(f"/proc/{self.process.process.pid}/fd"))


def _document(cameras: list[Camera]) -> str:
    sources = "".join(
        f'[sources.{one.name}]\ntype = "mjpeg"\nurl = "http://127.0.0.1:{one.port}/"\n'
        for one in cameras
    )
    names = json.dumps([one.name for one in cameras])
    return f"""\
name = "soak"
[models.detector]
file = "detector/model.onnx"
{sources}
[steps.boxes]
type = "detect"
input = {names}
model = "detector"
[steps.tracks]
type = "track"
input = "boxes"
confirm = 1
[steps.gate]
type = "line"
input = "tracks"
start = [80, 64]
end = [80, 0]
names = ["left", "right"]
[sinks.log]
type = "file"
input = ["gate"]
path = "events.jsonl"
"""


def run(minutes: float, kills: int, seed: int) -> dict[str, Any]:
    """Run the soak; return its figures."""
    chance = random.Random(seed)
    cameras = [Camera(f"camera{at}", seed + 1000 * at) for at in range(4)]
    for camera in cameras:
        camera.start()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), cameras)
        try:
            return _watched(server, cameras, minutes, kills, chance)
        finally:
            server.process.stop()
            for camera in cameras:
                camera.kill()


def _watched(
    server: Server, cameras: list[Camera], minutes: float, kills: int, chance: random.Random
) -> dict[str, Any]:
    began, events, memory, files = time.monotonic(), [], [], []
    every = minutes * 60 / (kills + 1)
    killed = 0
    while (passed := time.monotonic() - began) < minutes * 60:
        events += server.collect()
        memory.append((passed, server.memory_mb()))
        files.append(server.descriptors())
        if killed < kills and passed > every * (killed + 1):
            killed += 1
            camera = chance.choice(cameras)
            camera.kill()
            server.jump(chance.randint(-3600, 3600))
            time.sleep(chance.uniform(0.5, 5.0))
            camera.start()
        time.sleep(1.0)
    state = server.state()
    events += server.collect()
    return _figures(cameras, events, memory, files, state, began)


def _figures(
    cameras: list[Camera],
    events: list[dict[str, Any]],
    memory: list[tuple[float, float]],
    files: list[int],
    state: dict[str, Any],
    began: float,
) -> dict[str, Any]:
    now = time.monotonic()
    crossings = [one for one in events if one["kind"] == "crossing"]
    expected = [
        row for camera in cameras for row in camera.truth if _is_judged(camera, row, began, now)
    ]
    every = [row for camera in cameras for row in camera.truth]
    match = match_events(expected, crossings, 1.0, ("direction",))
    invented = match_events(every, crossings, 1.0, ("direction",)).extra
    ids = [one["id"] for one in events]
    half = len(memory) // 2
    return {
        "seconds": round(now - began),
        "frames": state["frames"],
        "failed": state["failed"],
        "latency_ms": state["latency_ms"],
        "sources": state["sources"],
        "crossings": {
            "true": len(every),
            "expected": len(expected),
            "found": len(crossings),
            "missing": len(match.missing),
            "without_a_true_one": len(invented),
        },
        "ids_twice": len(ids) - len(set(ids)),
        "lost_and_back": {
            kind: sum(one["kind"] == kind for one in events)
            for kind in ("source-lost", "source-back", "events-lost")
        },
        "gaps_s": [one["gap_s"] for one in events if one["kind"] == "source-back"],
        "memory_mb": {
            "first": round(memory[min(30, half)][1], 1),
            "middle": round(memory[half][1], 1),
            "last": round(memory[-1][1], 1),
        },
        "open_files": {"first": files[min(30, half)], "last": files[-1]},
    }


def _is_judged(camera: Camera, row: dict[str, Any], began: float, now: float) -> bool:
    at = row["at_s"]
    near = any(abs(at - one) < _MARGIN_S + 4.0 for one in camera.changes)
    return began + _MARGIN_S < at < now - _MARGIN_S and not near


def main() -> None:
    """Run, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    given = parser.parse_args()
    found = run(given.minutes, given.kills, given.seed)
    print(json.dumps({"seed": given.seed, **found}, indent=1))


if __name__ == "__main__":
    main()
