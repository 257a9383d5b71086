"""Trials of language models next to a real server: equal releases kept, damaged ones taken back.

    python -m tests.benchmarks.bench_language_trials --trials 100 --keep FILE

Each trial starts the server of a release of SmolLM2-135M with two clients, and lets the rule
decide by the earlier release. Equal releases are the same file in another version, with other
settings of the loop, or its weights in Q8_0. Damaged ones have a layer whose weights are off by
10 %, a wrong chat template, or a context that is too short for some of the clients.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from studio.runtime.release.trial.decision import TrialDecision, rule_of
from studio.runtime.release.trial.soak import ReleaseTrial
from studio.runtime.shared.errors import ReleaseError
from tests.benchmarks.bench_language_profile import python_of
from tests.rigs.language import gguf_file
from tests.rigs.text_trials import (
    WRONG_TEMPLATES,
    Conversing,
    Releases,
    with_layer_off,
    with_template,
)
from tests.unit.runtime.serve.rig import ServerProcess

RIGS = Path.home() / ".cache" / "edgewright-rigs"
LAYERS = ((0, None), (9, 1), (20, None), (29, 2))
"""Layers that are off, and the seeds of their errors."""


class TrialServer(ServerProcess):
    """A server of a language model, as a trial watches it."""

    ended = "the server ended"

    def runs(self) -> bool:
        """Return whether it lives."""
        return self.process.poll() is None

    def report(self) -> Mapping[str, object]:
        """Return its address."""
        return {"host": self.host, "port": self.port}

    def token(self) -> str:
        """Return that it requires no token."""
        return ""


class _Notes:
    def __init__(self, run: Path) -> None:
        self.run = run


class Campaign:
    """Trials from one release to others.

    Args:
        before: Digest of the earlier release.
        seconds: Of a trial.
    """

    def __init__(self, releases: Releases, before: str, seconds: float) -> None:
        self._releases = releases
        self._before = before
        self._seconds = seconds
        self._quality = TrialDecision(rule_of({}))

    def trial(self, release: str, seed: int) -> dict[str, Any]:
        """Let the rule decide about a release; return the evidence."""
        bundle = ("--bundle", str(self._releases.folder(release)), "--threads", "1")
        began = time.monotonic()
        with (
            TrialServer(*bundle, log=self._releases.root / "log") as server,
            Conversing(server.port, seed) as clients,
        ):
            assert isinstance(server, TrialServer)
            soak = ReleaseTrial(server, _Notes(self._releases.root / "run"), release, self._before)
            try:
                found = soak.run(self._quality, self._seconds)
            except ReleaseError as error:
                found = json.loads(error.detail or "{}")
        spent = round(time.monotonic() - began, 1)
        return {**found, "spent": spent, "answers": clients.answers, "failed": clients.failures[:3]}


def equal(releases: Releases, model: Path, float_like: Path) -> Iterator[tuple[str, str]]:
    """Yield equal releases without end: what is other in them, and the digest."""
    while True:
        yield "another version", releases.add(model)
        yield "4 slots", releases.add(model, slots=4)
        yield "a longer context", releases.add(model, context=4096)
        yield "Q8_0", releases.add(float_like)


def damaged(releases: Releases, model: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield 10 damaged releases: what is wrong, and the digest."""
    for layer, seed in LAYERS:
        name = f"layer {layer} off by 10 %" + (" at random" if seed else "")
        off = with_layer_off(model, folder / f"layer{layer}.gguf", layer, seed)
        yield name, releases.add(off)
    for number, (name, template) in enumerate(WRONG_TEMPLATES.items()):
        wrong = with_template(model, folder / f"template{number}.gguf", template)
        yield f"template: {name}", releases.add(wrong)
    for context in (1024, 512, 256):
        yield f"a context of {context}", releases.add(model, context=context)


def main() -> int:
    """Measure; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=100, help="of equal releases")
    parser.add_argument("--damaged", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--first", type=int, default=0, help="seed of the first conversations")
    given = parser.parse_args()
    TrialServer.python = python_of("llama-cpp")
    model = gguf_file(RIGS)
    rows: dict[str, list[dict[str, Any]]] = {"equal": [], "damaged": []}
    with tempfile.TemporaryDirectory(dir=RIGS / "language") as name:
        folder = Path(name)
        releases = Releases(folder / "board")
        campaign = Campaign(releases, releases.add(model), given.seconds)
        kinds = (
            ("damaged", damaged(releases, model, folder), given.damaged),
            (
                "equal",
                equal(releases, model, RIGS / "language" / "SmolLM2.q8_0.gguf"),
                given.trials,
            ),
        )
        for kind, made, count in kinds:
            for number, (what, digest) in zip(range(count), made, strict=False):
                row = {"what": what, **campaign.trial(digest, given.first + number)}
                print(json.dumps(row), file=sys.stderr, flush=True)
                rows[kind].append(row)
    print(json.dumps({"name": "trials of language models", **_summary(rows)}, indent=1))
    return 0


def _summary(rows: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kind, kept in rows.items():
        decisions = [str(row.get("decision")) for row in kept]
        found[kind] = {
            "trials": len(kept),
            "decisions": {one: decisions.count(one) for one in sorted(set(decisions))},
            "seconds": statistics.median(row["spent"] for row in kept) if kept else None,
        }
    return {**found, "load": os.getloadavg()[0]}


if __name__ == "__main__":
    sys.exit(main())
