"""A language model exchanged under load by another: no stream breaks, none has two versions.

    python -m tests.benchmarks.bench_language_swaps --swaps 100

Two versions of SmolLM2-135M, in Q4_1 and in Q8_0, replace each other in a server while four
clients read greedy streams without a pause. A stream is broken without its end. Each answer names
its version by a digest in its head, and must be one that this version gives alone: answers of
each are first taken without a swap, at the same load, as sums in another order move near ties.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.bench_language_profile import python_of
from tests.rigs.language import gguf_file
from tests.rigs.text_trials import Releases
from tests.unit.runtime.serve.rig import REPOSITORY, ServerProcess, switch, wait_until

RIGS = Path.home() / ".cache" / "edgewright-rigs"
CLIENTS = 4
PROMPTS = (
    "The lighthouse was built in",
    "A good soup begins with",
    "Dear neighbours,",
    "def area(",
)
_SHOWN = 3


class StreamClient(threading.Thread):
    """Reads one stream after the other, until it is ended.

    Attributes:
        answers: Digest of the version, prompt and text of each whole stream.
        faults: What else came.
    """

    def __init__(self, server: ServerProcess, first: int, tokens: int) -> None:
        super().__init__(daemon=True)
        self._server, self._number, self._tokens = server, first, tokens
        self.done = threading.Event()
        self.answers: list[tuple[str, str, str]] = []
        self.faults: list[str] = []

    def run(self) -> None:
        """Read streams."""
        while not self.done.is_set():
            try:
                self._read(PROMPTS[self._number % len(PROMPTS)])
            except Exception as error:
                self.faults.append(repr(error))
            self._number += 1

    def _read(self, prompt: str) -> None:
        connection = self._server.connect()
        body = {"prompt": prompt, "max_tokens": self._tokens, "temperature": 0, "stream": True}
        connection.request("POST", "/v1/completions", json.dumps({**body, "ignore_eos": True}))
        response = connection.getresponse()
        raw = response.read().decode()
        connection.close()
        if response.status != 200 or not raw.endswith("data: [DONE]\n\n"):
            self.faults.append(f"{response.status} {raw[-200:]}")
            return
        parts = [json.loads(part[6:]) for part in raw.split("\n\n")[:-2]]
        text = "".join(choice["text"] for part in parts for choice in part["choices"])
        self.answers.append((response.headers["Edgewright-Model-Digest"], prompt, text))


@contextmanager
def reading(server: ServerProcess, tokens: int) -> Iterator[Sequence[StreamClient]]:
    """Clients at work."""
    clients = [StreamClient(server, number, tokens) for number in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield clients
    finally:
        for client in clients:
            client.done.set()
        for client in clients:
            client.join(120)


def exchange(server: ServerProcess, releases: Releases, digest: str) -> float:
    """Serve another release, as a board does; return the seconds until it answers."""
    before, began = _generation(server), time.monotonic()
    switch(releases.root, releases.folder(digest))
    server.hang_up()
    wait_until(lambda: _generation(server) > before, "it is swapped", 300)
    return time.monotonic() - began


def _generation(server: ServerProcess) -> int:
    return int(server.get("/edgewright/status")[1]["generation"])


def _memory(server: ServerProcess) -> int:
    """Resident bytes that are the server's own."""
    pid = int(server.get("/edgewright/status")[1]["pid"])
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith("RssAnon:")))


def measure(swaps: int, tokens: int, alone_s: float, folder: Path) -> dict[str, object]:
    """Swap under load; return what was seen."""
    releases = Releases(folder / "board")
    models = (gguf_file(RIGS), RIGS / "language" / "SmolLM2.q8_0.gguf")
    digests = [releases.add(model, slots=CLIENTS, context=512) for model in models]
    switch(releases.root, releases.folder(digests[0]))
    known: set[tuple[str, str, str]] = set()
    seconds, memory = [], []
    words = (f"--root={releases.root}", "--threads=1")
    source = {"PYTHONPATH": str(REPOSITORY)}
    with ServerProcess(*words, log=folder / "log", **source) as server:
        for number in (1, 0):
            with reading(server, tokens) as clients:
                time.sleep(alone_s)
            known.update(answer for client in clients for answer in client.answers)
            exchange(server, releases, digests[number])
        with reading(server, tokens) as clients:
            for number in range(swaps):
                seconds.append(exchange(server, releases, digests[(number + 1) % 2]))
                memory.append(_memory(server))
    answers = [answer for client in clients for answer in client.answers]
    faults = [fault for client in clients for fault in client.faults]
    by_version = Counter(digest for digest, _, _ in answers)
    ordered = sorted(seconds)
    other = [answer for answer in answers if answer not in known]
    return {
        "swaps": swaps,
        "streams": len(answers),
        "broken": len(faults),
        "faults": faults[:_SHOWN],
        "versions known": set(by_version) <= set(digests),
        "by version": sorted(by_version.values()),
        "texts not seen alone": len(other),
        "of both versions": sum(_is_mixed(answer, known) for answer in other),
        "examples": other[:_SHOWN],
        "swap s": [ordered[0], ordered[len(ordered) // 2], ordered[-1]],
        "memory MB": [memory[0] / 1e6, memory[-1] / 1e6, max(memory) / 1e6],
        "load": os.getloadavg()[0],
    }


def _is_mixed(answer: tuple[str, str, str], known: set[tuple[str, str, str]]) -> bool:
    """Whether a text begins as the other version's, and differently from its own."""
    digest, prompt, text = answer
    own = [other for key, wanted, other in known if (key, wanted) == (digest, prompt)]
    others = [other for key, wanted, other in known if key != digest and wanted == prompt]
    return _common(text, others) > _common(text, own)


def _common(text: str, others: Sequence[str]) -> int:
    """Return how many first characters a text has in common with the likest of others."""
    return max((_same(text, other) for other in others), default=0)


def _same(text: str, other: str) -> int:
    pairs = zip(text, other, strict=False)
    return next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(text), len(other)))


def main() -> int:
    """Measure, and print the result as JSON; 1 when a stream broke or has two versions."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--swaps", type=int, default=100)
    parser.add_argument("--tokens", type=int, default=24)
    parser.add_argument("--alone-s", type=float, default=20.0)
    given = parser.parse_args()
    ServerProcess.python = python_of("llama-cpp")
    with tempfile.TemporaryDirectory(dir=RIGS / "language") as name:
        found = measure(given.swaps, given.tokens, given.alone_s, Path(name))
    print(json.dumps({"name": "swaps of language models", **found}, indent=1))
    return int(bool(found["broken"] or found["of both versions"] or not found["versions known"]))


if __name__ == "__main__":
    sys.exit(main())
