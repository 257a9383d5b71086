"""Profiles of language models: false verdicts of a model against its copies, and the peers.

    python -m tests.benchmarks.bench_language_profile --same --studies 34 --keep FILE
    python -m tests.benchmarks.bench_language_profile --peers --rounds 40

``--same`` runs the bench as the studio does (processes, rounds, twin, checks, verdicts) with a
small model and copies of it: of its comparisons at most 1 % may be called faster or slower.
``--peers`` measures SmolLM2-135M in interleaved rounds by the bench's process and by loops with the
calls of the backends' own programs: llama-bench (a batch of the prompt, then single tokens, by the
C API of the same library, as no package for Python has that program) and onnxruntime-genai's
benchmark (``append_tokens``, ``generate_next_token``). Ratios are of our time over theirs. On a
busy machine those of CPU time, with one thread, are the ones to read.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy

from studio.api import Extension
from studio.plugin_host import PluginHost
from studio.profiling.command import LOCAL_BENCH
from studio.profiling.language.build import token_verdicts
from studio.profiling.recording import Recording, read_event
from studio.runtime.bench.config import Candidate, parse
from studio.runtime.bench.process import CancelWatch, CandidateProcess
from studio.runtime.bench.statistics.bootstrap import ALPHA, Bootstrap
from studio.runtime.bench.tokens.answers import PreparedPrompts, TextLoaded, TokenBlock
from tests.rigs.language import genai_folder, gguf_file
from tests.rigs.small_language import small_gguf

RIGS = Path.home() / ".cache" / "edgewright-rigs"
COPIES = 3
"""Of a model that is compared with itself: so many comparisons share one reference and twin."""

GOALS = {"same": 0.01, "peers": 0.03}

_LLAMA = """
import json, os, sys, time
from llama_cpp_py_sync import _cffi_bindings
ffi, lib = _cffi_bindings.ffi, _cffi_bindings.get_lib()
quiet = ffi.callback("void(enum ggml_log_level, const char *, void *)", lambda *_: None)
lib.llama_log_set(quiet, ffi.NULL)
lib.llama_backend_init()
params = lib.llama_model_default_params()
params.n_gpu_layers = 0
model = lib.llama_model_load_from_file(os.fsencode(sys.argv[1]), params)
params = lib.llama_context_default_params()
params.n_ctx, params.n_batch, params.n_ubatch = int(sys.argv[3]), 512, 512
params.n_threads = params.n_threads_batch = int(sys.argv[2])
params.flash_attn_type = 1
context = lib.llama_init_from_model(model, params)
memory = lib.llama_get_memory(context)

def block(prompt, answer):
    lib.llama_memory_clear(memory, False)
    one = ffi.new("llama_token[]", [5])
    lib.llama_decode(context, lib.llama_batch_get_one(one, 1))
    lib.llama_decode(context, lib.llama_batch_get_one(one, 1))
    lib.llama_memory_clear(memory, False)
    tokens = ffi.new("llama_token[]", prompt)
    cpu, start = time.process_time_ns(), time.perf_counter_ns()
    lib.llama_decode(context, lib.llama_batch_get_one(tokens, len(prompt)))
    lib.llama_synchronize(context)
    first = time.perf_counter_ns() - start
    middle = time.process_time_ns()
    times = []
    for token in answer:
        one[0] = token
        start = time.perf_counter_ns()
        lib.llama_decode(context, lib.llama_batch_get_one(one, 1))
        lib.llama_synchronize(context)
        times.append(time.perf_counter_ns() - start)
    return first, times, middle - cpu, time.process_time_ns() - middle
"""
_GENAI = """
import json, os, sys, time
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
import numpy
import onnxruntime_genai as og
config = og.Config(sys.argv[1])
config.overlay(json.dumps({"model": {"decoder": {"session_options": {
    "intra_op_num_threads": int(sys.argv[2])}}}}))
model = og.Model(config)

def block(prompt, answer):
    params = og.GeneratorParams(model)
    room = int(sys.argv[3])
    params.set_search_options(do_sample=False, max_length=room, min_length=room)
    generator = og.Generator(model, params)
    cpu, start = time.process_time_ns(), time.perf_counter_ns()
    generator.append_tokens(numpy.array([prompt], numpy.int32))
    generator.generate_next_token()
    first = time.perf_counter_ns() - start
    middle = time.process_time_ns()
    times = []
    for _ in answer:
        start = time.perf_counter_ns()
        generator.generate_next_token()
        times.append(time.perf_counter_ns() - start)
    return first, times, middle - cpu, time.process_time_ns() - middle
"""
_LINES = """
for line in sys.stdin:
    print(json.dumps(block(**json.loads(line))), flush=True)
"""
_NAMES = ("first", "token", "first CPU", "token CPU")


def python_of(backend: str) -> str:
    """Return the interpreter of a backend's environment."""
    return str(PluginHost.discover().get(Extension.TEXT_BACKEND, backend).python)


def study(models: Sequence[Path], seconds: float, seed: int) -> list[dict[str, Any]]:
    """Run one study: each candidate behind the first is compared with it, as if it stood alone."""
    names, python = "abcdefgh"[: len(models)], python_of("llama-cpp")
    candidates = [
        {
            "id": name,
            "model": str(path),
            "runner": "",
            "backend": "llama-cpp",
            "python": python,
            "options": {"threads": 1},
        }
        for name, path in zip(names, models, strict=True)
    ]
    tokens = {"lengths": [24], "answer": 8}
    line = json.dumps({
        **{"candidates": candidates, "mode": "tokens", "tokens": tokens, "looks": 3},
        **{"seconds": seconds, "seed": seed, "warm_up_seconds": 0.5},
    })  # fmt: skip
    recording = Recording(parse(line))
    with subprocess.Popen(
        LOCAL_BENCH, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as bench:
        assert bench.stdin is not None
        assert bench.stdout is not None
        bench.stdin.write(line + "\n")
        bench.stdin.flush()
        for event in map(read_event, map(json.loads, bench.stdout)):
            if event is not None:
                recording.add(event)
    if not recording.complete:
        raise SystemExit(recording.error or "the bench ended early")
    return [verdict for name in names[1:] for verdict in _alone(recording, name)]


def _alone(recording: Recording, name: str) -> list[dict[str, Any]]:
    """Return the verdicts on one candidate, without the correction for the others."""
    others = {recording.reference, recording.twin, name}
    shown = Recording(recording.config)
    shown.rounds, shown.result, shown.looks = recording.rounds, recording.result, recording.looks
    shown.states = {key: one for key, one in recording.states.items() if key in others}
    keys = ("measure", "ratio", "low", "high", "verdict", "margin", "rounds")
    return [
        {**{key: getattr(one, key) for key in keys}, "load": os.getloadavg()[0]}
        for one in token_verdicts(shown)[0]
    ]


def same(studies: int, seconds: float, keep: Path | None) -> dict[str, Any]:
    """Compare a small model with its copies; all studies, those of the file included."""
    rows = json.loads(keep.read_text()) if keep is not None and keep.exists() else []
    with tempfile.TemporaryDirectory() as name:
        path = small_gguf(gguf_file(RIGS), Path(name) / "small.gguf", 1)
        for number in range(len(rows) // (2 * COPIES), studies):
            rows += study([path] * (COPIES + 1), seconds, number)
            print(f"{number + 1} of {studies}: {rows[-2:]}", file=sys.stderr, flush=True)
            if keep is not None:
                keep.with_suffix(".part").write_text(json.dumps(rows))
                keep.with_suffix(".part").replace(keep)
    verdicts = Counter(row["verdict"] for row in rows)
    false = (verdicts["faster"] + verdicts["slower"]) / len(rows)
    loads = [row["load"] for row in rows]
    return {
        **{"kind": "same", "comparisons": len(rows), "verdicts": dict(verdicts), "share": false},
        **{"met": false <= GOALS["same"], "load": [min(loads), max(loads)]},
    }  # fmt: skip


@contextmanager
def _peer(backend: str, model: Path, threads: int, room: int) -> Iterator[subprocess.Popen[str]]:
    code = (_LLAMA if backend == "llama-cpp" else _GENAI) + _LINES
    command = [python_of(backend), "-I", "-c", code, str(model), str(threads), str(room)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _ours(backend: str, model: Path, threads: int, prompt: int, answer: int) -> CandidateProcess:
    candidate = Candidate("ours", str(model), "", python=python_of(backend), backend=backend)
    process = CandidateProcess(candidate, CancelWatch(None))
    settings = {"threads": threads, "context": prompt + answer + 8}
    process.call(
        *("cannot load", 300.0, TextLoaded),
        **{"do": "load", "model": str(model), "backend": backend, "settings": settings},
    )
    work = {"lengths": [prompt], "texts": [], "answer": answer}
    process.call("cannot run", 300.0, PreparedPrompts, do="prepare", **work)
    return process


def peers(
    backend: str, model: Path, file: Path, rounds: int, threads: int, prompt: int, answer: int
) -> dict[str, Any]:
    """Compare our times with those of the backend's own loop, a block of each in a round."""
    chance = random.Random(1)
    request = {
        "prompt": [chance.randrange(5, 49_000) for _ in range(prompt)],
        "answer": [chance.randrange(5, 49_000) for _ in range(answer - 1)],
    }
    times: dict[str, list[tuple[float, ...]]] = {"ours": [], "peer": []}
    ours = _ours(backend, file, threads, prompt, answer)
    with _peer(backend, model, threads, prompt + answer + 8) as peer:
        assert peer.stdin is not None
        assert peer.stdout is not None
        for number in range(rounds + 1):
            for side in chance.sample(["ours", "peer"], 2):
                made = _ours_once(ours) if side == "ours" else _peer_once(peer, request)
                if number:  # the first round warms up
                    times[side].append(made)
    ours.close()
    return {"kind": "peers", "backend": backend, "rounds": rounds, **_ratios(times)}


def _ours_once(process: CandidateProcess) -> tuple[float, ...]:
    request = {"do": "answers", "prompt": 0, "streams": 1}
    made = process.call("cannot run", 600.0, TokenBlock, **request)
    count = len(made.token_ns)
    prefill = made.cpu_ns - made.decode_cpu_ns
    return made.first_ns[0], _median(made.token_ns), prefill, made.decode_cpu_ns / count


def _peer_once(process: subprocess.Popen[str], request: dict[str, Any]) -> tuple[float, ...]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(request) + "\n")
    process.stdin.flush()
    first, tokens, prefill, decode = json.loads(process.stdout.readline())
    return first, _median(tokens), prefill, decode / len(tokens)


def _median(values: Sequence[float]) -> float:
    return float(sorted(values)[len(values) // 2])


def _ratios(times: dict[str, list[tuple[float, ...]]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for place, name in enumerate(_NAMES):
        own, other = (numpy.array([row[place] for row in times[side]]) for side in ("ours", "peer"))
        interval = Bootstrap(numpy.log(own / other)).ratio(ALPHA)
        medians = {"ours_ms": numpy.median(own) / 1e6, "peer_ms": numpy.median(other) / 1e6}
        made[name] = {**medians, **vars(interval)}
    limit = GOALS["peers"]
    made["met"] = all(made[name]["ratio"] <= 1 + limit for name in ("first CPU", "token CPU"))
    made["load"] = os.getloadavg()[0]
    return made


def main() -> int:
    """Measure, print; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--same", action="store_true", help="a model against its copies")
    parser.add_argument("--peers", action="store_true", help="the backends' own programs")
    parser.add_argument("--studies", type=int, default=34)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--prompt", type=int, default=64)
    parser.add_argument("--answer", type=int, default=16)
    parser.add_argument("--backend", default="", help="llama-cpp or onnxruntime-genai")
    given = parser.parse_args()
    found = []
    if given.same or not given.peers:
        found.append(same(given.studies, given.seconds, given.keep))
    if given.peers or not given.same:
        gguf = gguf_file(RIGS)
        if given.backend in ("", "llama-cpp"):
            work = (given.rounds, given.threads, given.prompt, given.answer)
            found.append(peers("llama-cpp", gguf, gguf, *work))
        if given.backend in ("", "onnxruntime-genai"):
            folder = genai_folder(RIGS)
            work = (given.rounds, given.threads, given.prompt, given.answer)
            found.append(peers("onnxruntime-genai", folder, folder / "model.onnx", *work))
    print(json.dumps({"name": "Profiles of language models", "results": found}, indent=1))
    return 0 if all(each["met"] for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
