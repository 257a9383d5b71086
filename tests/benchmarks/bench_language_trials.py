"""Trials of language models next to a real server: equal releases kept, damaged ones taken back.

    python -m tests.benchmarks.bench_language_trials --trials 100
    python -m tests.benchmarks.bench_language_trials --distances 24

Each trial starts the server of a release of SmolLM2-135M with two clients, and lets the rule
decide by the earlier release. Equal releases are the same file in another version, with other
settings of the loop, or its weights in Q8_0. Damaged ones have a layer whose weights are off by
10 %, a wrong chat template, or a context that is too short for some of the clients.

``--share .5`` compares 2.5 times as many answers as a trial does by default in the same time.
``--judge divergence`` lets this test alone decide, after some 6 answers instead of the 240
requests that the test of errors takes; contexts that are too short need all tests.

``--distances`` runs no server: it measures the divergence of so many answers of each release, and
lets the rule decide 1,000 times for each by answers that are drawn from these.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from studio.runtime.release.trial import soak as soaks
from studio.runtime.release.trial.decision import Counts, TrialDecision, rule_of
from studio.runtime.release.trial.sequential import OPEN
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

_MORE_LAYERS = ((5, 3), (15, 4))
_DRAWN, _MOST_ANSWERS = 1000, 60


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
        judge: Tests that decide, as in the rule of a trial; empty for all.
    """

    def __init__(self, releases: Releases, before: str, seconds: float, judge: str = "") -> None:
        self._releases = releases
        self._before = before
        self._seconds = seconds
        self._decisions = {
            True: TrialDecision(rule_of({"judge": judge} if judge else {})),
            False: TrialDecision(rule_of({})),
        }

    def trial(self, release: str, seed: int, is_short: bool) -> dict[str, Any]:
        """Let the rule decide about a release; return the evidence.

        Args:
            is_short: Whether its context is, which long conversations alone show.
        """
        quality = self._decisions[not is_short]
        bundle = ("--bundle", str(self._releases.folder(release)), "--threads", "1")
        began = time.monotonic()
        with (
            TrialServer(*bundle, log=self._releases.root / "log") as server,
            Conversing(server.port, seed, long=0.3 if is_short else 0.02) as clients,
        ):
            assert isinstance(server, TrialServer)
            soak = ReleaseTrial(server, _Notes(self._releases.root / "run"), release, self._before)
            try:
                found = soak.run(quality, self._seconds)
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
        off = with_layer_off(model, folder / f"layer{layer}.gguf", layer, seed)
        yield _off(layer, seed), releases.add(off)
    for number, (name, template) in enumerate(WRONG_TEMPLATES.items()):
        wrong = with_template(model, folder / f"template{number}.gguf", template)
        yield f"template: {name}", releases.add(wrong)
    for context in (1024, 512, 256):
        yield f"a context of {context}", releases.add(model, context=context)


def decisions(divergences: Sequence[float], draws: np.random.Generator) -> dict[str, Any]:
    """Return how often the test of divergence decides what, by answers drawn with replacement."""
    quality, found, needed = TrialDecision(rule_of({"judge": "divergence"})), Counter[str](), []
    diverging = np.asarray(divergences) > quality.rule.diverging
    for _ in range(_DRAWN):
        events = np.cumsum(draws.choice(diverging, _MOST_ANSWERS))
        for number, count in enumerate(events, 1):
            (finding,) = quality.findings({"divergence": Counts(int(count), number)})
            if finding.says != OPEN:
                break
        found[finding.says] += 1
        needed.append(number)
    share = round(float(diverging.mean()), 3)
    return {"diverging": share, "decisions": dict(found), "answers": statistics.median(needed)}


def measured_distances(count: int, model: Path, folder: Path) -> dict[str, Any]:
    """Measure each kind of release; return its mean divergence and the decisions on it."""
    kinds = {
        "the same file": str(model),
        "int8 cache": f"{model}:int8",
        "Q8_0": str(RIGS / "language" / "SmolLM2.q8_0.gguf"),
    }
    for layer, seed in (*LAYERS, *_MORE_LAYERS):
        off = with_layer_off(model, folder / f"layer{layer}.gguf", layer, seed)
        kinds[_off(layer, seed)] = str(off)
    for number, (name, template) in enumerate(WRONG_TEMPLATES.items()):
        wrong = with_template(model, folder / f"template{number}.gguf", template)
        kinds[f"template: {name}"] = str(wrong)
    given = [f"{name}={file}" for name, file in kinds.items()]
    module = ("-m", "tests.benchmarks.language_distances")
    command = [python_of("llama-cpp"), *module, str(model), str(count), *given]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    draws, found = np.random.default_rng(1), {}
    for row in map(json.loads, done.stdout.splitlines()):
        mean = round(statistics.fmean(row["divergence"]), 5)
        found[row["what"]] = {"mean": mean, **decisions(row["divergence"], draws)}
    return found


def _compare_with(share: float) -> None:
    """Let the comparison take another share of a core: this changes how long a trial is alone."""
    wanted = soaks.request_of
    soaks.request_of = lambda *words: wanted(*words)._replace(share=share)


def _off(layer: int, seed: int | None) -> str:
    return f"layer {layer} off by 10 %" + (" at random" if seed else "")


def main() -> int:
    """Measure; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=100, help="of equal releases")
    parser.add_argument("--damaged", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--distances", type=int, default=0, help="answers of each release")
    parser.add_argument("--first", type=int, default=0, help="seed of the first conversations")
    parser.add_argument("--judge", default="", help="tests that decide")
    parser.add_argument("--share", type=float, default=0.2, help="of a core, for comparing; to .5")
    parser.add_argument("--only", default="", help="kinds whose names begin so")
    given = parser.parse_args()
    _compare_with(given.share)
    TrialServer.python = python_of("llama-cpp")
    model = gguf_file(RIGS)
    rows: dict[str, list[dict[str, Any]]] = {"equal": [], "damaged": []}
    with tempfile.TemporaryDirectory(dir=RIGS / "language") as name:
        folder = Path(name)
        if given.distances:
            found = measured_distances(given.distances, model, folder)
            print(json.dumps({"name": "distances of language models", **found}, indent=1))
            return 0
        releases = Releases(folder / "board")
        campaign = Campaign(releases, releases.add(model), given.seconds, given.judge)
        kinds = (
            ("damaged", damaged(releases, model, folder), given.damaged),
            (
                "equal",
                equal(releases, model, RIGS / "language" / "SmolLM2.q8_0.gguf"),
                given.trials,
            ),
        )
        for kind, made, count in kinds:
            chosen = (one for one in made if one[0].startswith(given.only))
            for number, (what, digest) in zip(range(count), chosen, strict=False):
                is_short = what.startswith("a context of")
                row = {"what": what, **campaign.trial(digest, given.first + number, is_short)}
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
