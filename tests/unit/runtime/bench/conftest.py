"""Runners that behave and misbehave, and a bench that is driven as a program."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.runtime.models import make_cnn

PATIENCE = 60.0

GOOD = """
import os, time
import numpy

class Runner:
    def __init__(self, path, options):
        self.options = options
        self.calls = 0
        if options.get("load") == "fail":
            raise ValueError("this is no model of mine")
        if options.get("load") == "long":
            raise ValueError("so it is " + "wordy " * 500)
        if options.get("load") == "sizes":
            raise ValueError("fixed to %s" % options["shapes"])
        if options.get("load") == "python":
            self.taken = bytearray(4 << 30)
        if options.get("load") == "native":
            raise RuntimeError("std::bad_alloc")
        if options.get("load") == "exit":
            os._exit(3)
        if options.get("load") == "hang":
            time.sleep(3600)

    def inputs(self):
        return [{"name": "x", "dtype": "float32", "shape": ["batch", 4]}]

    def run(self, feeds):
        self.calls += 1
        do = self.options.get("run", "")
        if "nap" in self.options:
            time.sleep(self.options["nap"] / (self.options.get("threads") or 1))
        if do == "chatter":
            os.write(1, b"native chatter\\n")
            print("more chatter")
        if "trap" in self.options and os.path.exists(self.options["trap"]):
            if do == "hang":
                time.sleep(3600)
            os.kill(os.getpid(), 9)
        if do == "fail":
            raise RuntimeError("no kernel for that")
        total = numpy.zeros(())
        for _ in range(self.options.get("work", 5)):
            total = total + numpy.dot(numpy.ones((16, 16)), numpy.ones((16, 16))).sum()
        y = feeds["x"] * 2 + self.options.get("offset", 0)
        if do == "nan":
            y = y * numpy.nan
        if do == "shape":
            y = y[:, :2]
        return {"y": y}

    def describe(self):
        return {"runtime": "fake", "version": "1", "device": "cpu", "providers": [],
                "precision": self.options.get("precision", "as in the model"),
                "threads": self.options.get("threads", 1)}

    def operators(self, feeds, runs):
        return [{"name": "a", "operator": "Mul", "provider": "cpu", "type": "fp32",
                 "us": 1.0, "calls": 1}]

    def close(self):
        pass

def load(path, options):
    return Runner(path, options)
"""


@pytest.fixture
def candidate(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Makes a candidate of a bench, with a runner that has no runtime behind it."""
    runner = tmp_path / "fake_runner.py"
    runner.write_text(GOOD)

    def make(name: str, **options: Any) -> dict[str, Any]:
        return {"id": name, "model": "m", "runner": str(runner), "options": options}

    return make


class Bench:
    """A bench as a child process."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "studio.runtime.bench"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a pipe that nobody reads would fill up
        )
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(config).encode() + b"\n")
        self.process.stdin.flush()

    def events(self) -> Iterator[dict[str, Any]]:
        """Its events as they come."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            yield json.loads(line)

    def close_input(self) -> None:
        """Cancel it."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def end(self) -> int:
        """Its exit status; all its pipes are closed."""
        status = self.process.wait(PATIENCE)
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()
        return status


@pytest.fixture
def bench() -> Iterator[Callable[[dict[str, Any]], Bench]]:
    """Starts benches, and kills what is left of them."""
    started: list[Bench] = []

    def start(config: dict[str, Any]) -> Bench:
        started.append(Bench(config))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
        each.end()


@pytest.fixture
def measure(
    bench: Callable[[dict[str, Any]], Bench],
) -> Callable[..., tuple[list[dict[str, Any]], int]]:
    """Runs a bench to its end with few rounds: its events and its exit status."""

    def run(*candidates: dict[str, Any], **config: Any) -> tuple[list[dict[str, Any]], int]:
        values = {"rounds": 4, "seconds": 0.2, "warm_up_seconds": 0.05, "twin": False, **config}
        started = bench({"candidates": list(candidates), **values})
        events = list(started.events())
        return events, started.end()

    return run


@pytest.fixture
def cnn(tmp_path: Path) -> Path:
    """A small convolutional network with a symbolic batch."""
    return make_cnn(tmp_path / "cnn.onnx")
