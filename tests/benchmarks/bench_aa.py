"""A/A and 7 %: a model against itself on a busy machine, and against a slightly larger input.

    python -m tests.benchmarks.bench_aa --busy --studies 200 --keep FILE
    python -m tests.benchmarks.bench_aa --effect --studies 40

The first takes half an hour on any machine, the second 8 minutes and wants a quiet one. Each study
is the bench as the studio runs it (processes of their own, rounds, twin, looks, verdict), only
shorter. With ``--busy`` another process computes on every core all the while; at most 1 % of the
comparisons of a model with itself may be called faster or slower. With ``--effect`` the input is
7 % wider; at least 95 % of the studies must call it slower. The peer is the usual way with the
same times: "the medians differ by more than 3 %". ``--keep`` writes each study as it ends, and
goes on with what the file has.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

from studio.profiling.build import round_times
from studio.profiling.command import LOCAL_BENCH
from studio.profiling.recording import Recording, read_event
from studio.runtime.bench.arrays import save_arrays
from studio.runtime.bench.config import Config
from studio.runtime.bench.facts import InterimChecks
from studio.runtime.bench.statistics.verdicts import compare
from tests.benchmarks.bench_backends import speech
from tests.benchmarks.zoo.wheels import MAGIKA, SILERO

RUNNER = Path(__file__).parents[2] / "plugins" / "studio_onnxruntime" / "runner.py"
WIDTH, WIDER = 96, 103
"""7.3 % more columns."""

COPIES = 7
"""Of a model that is compared with itself: so many comparisons share one reference and twin."""

GOALS = {"busy": 0.01, "effect": 0.95}
_BURN = "import numpy\na = numpy.ones((64, 64), numpy.float32)\nwhile True: a = a @ a / 64"


def network(path: Path, width: int, channels: int = 16, layers: int = 3) -> Path:
    """Convolutions over the first columns of a picture that is wider; a few milliseconds."""
    chance = numpy.random.default_rng(5)
    constants = {"begin": numpy.array([0]), "end": numpy.array([width]), "axis": numpy.array([3])}
    nodes = [helper.make_node("Slice", ["image", "begin", "end", "axis"], ["c0"])]
    depth = 3
    for number in range(layers):
        weights = chance.normal(0, 0.1, (channels, depth, 3, 3)).astype(numpy.float32)
        constants[f"w{number}"] = weights
        inputs = [f"c{number}", f"w{number}"]
        nodes.append(helper.make_node("Conv", inputs, [f"c{number + 1}"], pads=[1, 1, 1, 1]))
        depth = channels
    nodes.append(helper.make_node("GlobalAveragePool", [f"c{layers}"], ["scores"]))
    graph = helper.make_graph(
        nodes,
        "columns",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 96, 112])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, channels, 1, 1])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)
    return path


def models(folder: Path) -> list[tuple[str, Path, int]]:
    """Name, file and threads of what is compared with itself, in turn."""
    magika, silero = folder / "magika.onnx", folder / "silero.onnx"
    magika.write_bytes(MAGIKA.read("magika/models/standard_v3_3/model.onnx"))
    silero.write_bytes(SILERO.read("silero_vad/data/silero_vad.onnx"))
    save_arrays(str(silero.with_suffix(".npz")), speech())
    convolutions = network(folder / "columns.onnx", WIDTH)
    files = (("columns", convolutions), ("silero-vad", silero), ("magika", magika))
    return [(name, file, threads) for threads in (1, 2) for name, file in files]


@contextmanager
def load(cores: int) -> Iterator[None]:
    """Another process on each core, of ordinary priority."""
    burning = [subprocess.Popen([sys.executable, "-c", _BURN]) for _ in range(cores)]
    try:
        yield
    finally:
        for process in burning:
            process.kill()
            process.wait()


def study(paths: Sequence[Path], threads: int, seconds: float, seed: int) -> list[dict[str, Any]]:
    """One study: each candidate behind the first is compared with it, as if it stood alone."""
    options = {"threads": threads}
    names = "abcdefgh"[: len(paths)]
    config = {
        "candidates": [
            {"id": name, "model": str(path), "runner": str(RUNNER), "options": options}
            for name, path in zip(names, paths, strict=True)
        ],
        "feeds": {"npz": str(paths[0].with_suffix(".npz")) if "silero" in paths[0].name else ""},
        "seconds": seconds,
        "seed": seed,
        "looks": 3,
    }
    recording = Recording(Config(()))
    with subprocess.Popen(
        LOCAL_BENCH, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as bench:
        assert bench.stdin is not None
        assert bench.stdout is not None
        bench.stdin.write(json.dumps(config) + "\n")
        bench.stdin.flush()
        for line in bench.stdout:
            event = read_event(json.loads(line))
            if event is not None:
                recording.add(event)
    if not recording.complete:
        raise SystemExit(recording.error or "the bench ended early")
    return [comparison(recording, name) for name in names[1:]]


def comparison(recording: Recording, name: str) -> dict[str, Any]:
    """The verdict on one candidate (without Holm's correction), and what plain medians say."""
    reference, twin = recording.reference, recording.twin
    times = {each: round_times(recording, each) for each in filter(None, (reference, twin, name))}
    [verdict], _ = compare(reference, times, twin, recording.alpha)
    medians = [
        statistics.median(time for each in recording.rounds for time in each.times_ns[one])
        for one in (reference, name)
    ]
    assert recording.result is not None
    looks = recording.result.looks or InterimChecks(used=1)
    keys = ("ratio", "low", "high", "verdict", "margin", "rounds")
    return {key: getattr(verdict, key) for key in keys} | {
        "plain_ratio": medians[1] / medians[0],
        "cpu_ratio": _cpu(recording, name) / _cpu(recording, reference),
        "looks": looks.used,
        "stopped": looks.stopped,
        "load": os.getloadavg()[0],
    }


def _cpu(recording: Recording, name: str) -> float:
    """CPU time of an inference over all rounds, in ns."""
    spent = sum(each.cpu_ns[name] for each in recording.rounds)
    return float(spent / sum(len(each.times_ns[name]) for each in recording.rounds))


def campaign(kind: str, studies: int, seconds: float, keep: Path | None) -> list[dict[str, Any]]:
    """All studies of a kind, those that the file has already included."""
    done = json.loads(keep.read_text()) if keep is not None and keep.exists() else []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        turns = models(folder)
        wider = network(folder / "wider.onnx", WIDER)
        while len(done) < studies:
            number = len(done)
            title, path, threads = (
                turns[number // COPIES % len(turns)] if kind == "busy" else turns[0]
            )
            others = [path] * COPIES if kind == "busy" else [wider]
            rows = study([path, *others], threads, seconds, number)
            done += [{"model": title, "threads": threads} | row for row in rows]
            print(f"{len(done)} of {studies}: {done[-1]}", file=sys.stderr, flush=True)
            if keep is not None:
                keep.with_suffix(".part").write_text(json.dumps(done))
                keep.with_suffix(".part").replace(keep)
    return done[:studies]


def summary(kind: str, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Counts of the verdicts, of the peer's, and whether the goal is met."""
    ours = Counter(row["verdict"] for row in rows)
    peer = Counter(
        "equal" if abs(row["plain_ratio"] - 1) <= 0.03
        else "slower" if row["plain_ratio"] > 1 else "faster"
        for row in rows
    )  # fmt: skip
    called = ours["faster"] + ours["slower"]
    share = called / len(rows) if kind == "busy" else ours["slower"] / len(rows)
    met = share <= GOALS[kind] if kind == "busy" else share >= GOALS[kind]
    return {
        "kind": kind,
        "studies": len(rows),
        "ours": dict(ours),
        "peer (medians differ by more than 3 %)": dict(peer),
        "share": share,
        "goal": GOALS[kind],
        "met": met,
        "stopped_early": sum(row["stopped"] for row in rows),
        "median_cpu_ratio": statistics.median(row["cpu_ratio"] for row in rows),
        "median_margin": statistics.median(row["margin"] for row in rows),
        "load": [min(row["load"] for row in rows), max(row["load"] for row in rows)],
    }


def main() -> int:
    """Measure, print; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--busy", action="store_true", help="a model against itself, under load")
    parser.add_argument("--effect", action="store_true", help="a 7 %% wider input, no load")
    parser.add_argument("--studies", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    kinds = [kind for kind in GOALS if getattr(given, kind)] or list(GOALS)
    found = []
    for kind in kinds:
        with load(os.cpu_count() or 1 if kind == "busy" else 0):
            found.append(summary(kind, campaign(kind, given.studies, given.seconds, given.keep)))
    print(json.dumps({"name": "A/A and a true difference", "results": found}, indent=1))
    return 0 if all(each["met"] for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
