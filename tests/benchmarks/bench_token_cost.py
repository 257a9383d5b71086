"""The cost of the server for a token: its stream against the same loop without HTTP.

    python -m tests.benchmarks.bench_token_cost --rounds 40 --tokens 48
    python -m tests.benchmarks.bench_token_cost --bare --rounds 10 --tokens 500

Both sides run SmolLM2-135M by llama.cpp on one thread, each in a process of its own. In a round
each writes one greedy answer, in a random order. The time of a token is that between the first
text and the end, over the tokens between; on the server's side it is taken by the client that
reads the stream. CPU time is that of the whole process of a side, so that of the server without
its client. Ratios are server over loop, with 95 % intervals; ``twin`` is a second loop over the
first. The goal is at most 3 %.

``--bare`` has a model of bytes instead, which sleeps for 4 ms and costs next to nothing. The
difference is the server's own CPU time of a token in microseconds, which a busy machine changes
less than a ratio of long times.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from studio.api import Extension
from studio.plugin_host import PluginHost
from studio.runtime.bench.statistics.bootstrap import ALPHA, Bootstrap
from studio.runtime.generate.catalog import LLAMA_CPP
from studio.runtime.generate.generator import TextGenerator
from studio.runtime.generate.request import AnswerProgress, GenerationRequest
from studio.runtime.generate.text_model import TextSettings
from tests.rigs.language import gguf_file
from tests.unit.runtime.serve.texts.byte_server import ByteServer, load, write_model

ROOT = Path(__file__).parents[2]
RIGS = Path.home() / ".cache" / "edgewright-rigs"
GOAL = 0.03
PAUSE_S = 0.004
PROMPT = "The history of the lighthouse begins with a storm that"
CONTEXT, SLOTS = 1024, 4

_LOOP = """
import json, sys, threading, time
from pathlib import Path
from studio.runtime.generate.catalog import LLAMA_CPP
from studio.runtime.generate.generator import TextGenerator
from studio.runtime.generate.loader import load_text_model
from studio.runtime.generate.request import GenerationRequest
from studio.runtime.generate.text_model import TextSettings
settings = TextSettings(threads=1, slots=int(sys.argv[3]), context=int(sys.argv[2]))
generator = TextGenerator(load_text_model(Path(sys.argv[1]), LLAMA_CPP, settings))
generator.warm_up()
print("ready", flush=True)
for line in sys.stdin:
    prompt, most = json.loads(line)
    done, marks = threading.Event(), []
    def listen(progress):
        if progress.text and not marks or progress.reason is not None:
            marks.append((time.perf_counter_ns(), time.process_time_ns()))
        if progress.reason is not None:
            done.set()
    request = GenerationRequest(generator.tokens_of(prompt), most, ends=False)
    generator.submit(request, listen)
    done.wait()
    (begin, cpu), (end, cpu_end) = marks[0], marks[-1]
    print(json.dumps([end - begin, cpu_end - cpu]), flush=True)
"""


class TokenTimes(NamedTuple):
    """Nanoseconds of one answer, from its first text to its end.

    Attributes:
        cpu: Of the process that wrote it.
    """

    wall: int
    cpu: int


class InProcess:
    """The loop in a process of its own, without HTTP."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

    def answer(self, tokens: int) -> TokenTimes:
        """Write one answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([PROMPT, tokens]) + "\n")
        self._process.stdin.flush()
        return TokenTimes(*json.loads(self._process.stdout.readline()))


class Streamed:
    """The server, and a client that reads its streams."""

    def __init__(self, process: int, port: int) -> None:
        self._port = port
        self._clock = (~process << 3) | 2
        """The process's CPU clock, by the kernel's numbering."""

    def answer(self, tokens: int) -> TokenTimes:
        """Read one answer."""
        wanted = {"prompt": PROMPT, "max_tokens": tokens, "temperature": 0, "ignore_eos": True}
        body = json.dumps({**wanted, "stream": True}).encode()
        head = f"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}"
        marks: list[tuple[int, int]] = []
        with socket.create_connection(("127.0.0.1", self._port)) as link:
            link.sendall(head.encode() + b"\r\n\r\n" + body)
            for line in link.makefile("rb"):
                ends = b'"finish_reason":"' in line
                if ends or (not marks and b'"text":"' in line):
                    marks.append((time.perf_counter_ns(), time.clock_gettime_ns(self._clock)))
                if ends:
                    break
        (begin, cpu), (end, cpu_end) = marks[0], marks[-1]
        return TokenTimes(end - begin, cpu_end - cpu)


@contextmanager
def _started(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=variables,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def measure(python: str, model: Path, rounds: int, tokens: int) -> dict[str, object]:
    """Run the rounds; return ratios with their intervals."""
    loop = [python, "-c", _LOOP, str(model), str(CONTEXT), str(SLOTS)]
    bundle = _bundle(model)
    serve = [python, "-m", "studio.runtime", "serve", f"--bundle={bundle}"]
    times: dict[str, list[TokenTimes]] = {"server": [], "loop": [], "twin": []}
    with ExitStack() as stack:
        sides: dict[str, InProcess | Streamed] = {
            "server": _streamed(stack.enter_context(_started([*serve, "--port=0", "--threads=1"]))),
            "loop": InProcess(stack.enter_context(_started(loop))),
            "twin": InProcess(stack.enter_context(_started(loop))),
        }
        chance = random.Random(1)
        for number in range(rounds + 1):
            for side in chance.sample(sorted(sides), len(sides)):
                found = sides[side].answer(tokens)
                if number:  # the first round warms up
                    times[side].append(found)
    return {"rounds": rounds, "tokens": tokens, **_results(times, tokens)}


def _streamed(process: subprocess.Popen[str]) -> Streamed:
    assert process.stdout is not None
    found = json.loads(process.stdout.readline())
    return Streamed(process.pid, int(str(found["endpoint"]).rpartition(":")[2]))


def _bundle(model: Path) -> Path:
    """Return a folder with the manifest of the model, for its context and slots."""
    folder = RIGS / "language" / "token-cost"
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / "model.gguf"
    if not link.exists():
        link.symlink_to(model)
    manifest = {
        "name": "smollm2",
        "version": 1,
        "model": {"file": link.name, "backend": "llama-cpp"},
        "generation": {"context": CONTEXT, "slots": SLOTS},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def _results(times: dict[str, list[TokenTimes]], tokens: int) -> dict[str, object]:
    found: dict[str, object] = {"load": os.getloadavg()[0]}
    for side in ("server", "twin"):
        for measure_of in ("wall", "cpu"):
            pairs = zip(times[side], times["loop"], strict=True)
            logs = [math.log(getattr(a, measure_of) / getattr(b, measure_of)) for a, b in pairs]
            interval = Bootstrap(logs).ratio(ALPHA)
            found[f"{side} {measure_of}"] = [interval.ratio, interval.low, interval.high]
    for side, rows in times.items():
        ordered = sorted(row.wall / (tokens - 1) / 1e6 for row in rows)
        found[f"{side} ms"] = ordered[len(ordered) // 2]
    cost = found["server cpu"]
    assert isinstance(cost, list)
    found["met"] = cost[2] <= 1 + GOAL
    return found


def bare(rounds: int, tokens: int) -> dict[str, object]:
    """Measure the server's own CPU time of a token with a model that costs nothing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = write_model(folder / "letters.gguf", context=1 << 14, seconds=PAUSE_S)
        generator = TextGenerator(load(model, LLAMA_CPP, TextSettings()))
        differences = []
        with ByteServer(f"--model={model}", log=folder / "log") as server:
            streamed = Streamed(server.process.pid, server.port)
            for number in range(rounds + 1):
                loop = _cpu_of_loop(generator, tokens)
                found = streamed.answer(tokens)
                if number:
                    differences.append((found.cpu - loop) / (tokens - 1) / 1000)
    ordered = sorted(differences)
    middle = statistics.median(ordered)
    return {"rounds": rounds, "tokens": tokens, "us": middle, "range": [ordered[0], ordered[-1]]}


def _cpu_of_loop(generator: TextGenerator, tokens: int) -> int:
    """Write one answer in this process; return its CPU time from the first text to the end."""
    done, marks = threading.Event(), []

    def listen(progress: AnswerProgress) -> None:
        if not marks or progress.reason is not None:
            marks.append(time.process_time_ns())
        if progress.reason is not None:
            done.set()

    request = GenerationRequest(generator.tokens_of(PROMPT), tokens, ends=False)
    generator.submit(request, listen)
    done.wait()
    return marks[-1] - marks[0]


def main() -> int:
    """Measure, and print the result as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--python", help="interpreter with llama.cpp")
    parser.add_argument("--bare", action="store_true", help="a model that costs nothing")
    given = parser.parse_args()
    if given.bare:
        print(json.dumps(bare(given.rounds, given.tokens), indent=1))
        return 0
    python = given.python or str(
        PluginHost.discover().get(Extension.TEXT_BACKEND, "llama-cpp").python
    )
    model = given.model or gguf_file(RIGS)
    print(json.dumps(measure(python, model, given.rounds, given.tokens), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
