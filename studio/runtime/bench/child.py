"""Process of one candidate: loads the runner, and answers the requests of the bench by line."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import signal
import sys
import time
from functools import partial
from textwrap import shorten
from typing import Any, Callable

import numpy

from .answers import ArrivalBlock, FirstInference, Loaded, OperatorBlock, PeakMemory, StreamBlock
from .arrays import load_arrays, save_arrays
from .facts import WarmUp, known
from .measures.arrivals import serve
from .measures.streams import run_streams
from .measures.timing import Block, Run, measure, warm_up
from .stream import LineWriter

_CODES = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : |^\[Errno \d+\] ")
"""What onnxruntime puts before its sentences."""


def load_runner(path: str) -> Any:
    """Import a runner's file by its path, without leaving bytecode next to it."""
    sys.dont_write_bytecode = True
    spec = importlib.util.spec_from_file_location("edgewright_runner", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Candidate:
    """A loaded model and the answers to the bench's questions, one method for each."""

    def __init__(self) -> None:
        self._session: Any = None
        self._feeds: dict[str, Any] = {}
        self._run: Run = _nothing_loaded
        self._load: Callable[[], Any] = _nothing_loaded
        self._streams: list[Run] = []
        self._more: list[Any] = []

    def load(self, model: str, runner: str, options: dict[str, Any]) -> Loaded:
        """Load the model; times are of the import of the runtime and of the load alone."""
        base = peak_memory_mb()
        start = time.perf_counter()
        module = load_runner(runner)
        imported = time.perf_counter()
        self._load = partial(module.load, model, options)
        self._session = self._load()
        loaded = time.perf_counter()
        return Loaded(
            inputs=self._session.inputs(),
            describe=self._session.describe(),
            import_ms=(imported - start) * 1e3,
            load_ms=(loaded - imported) * 1e3,
            memory_base_mb=base,
        )

    def check(self, feeds: str, outputs: str) -> FirstInference:
        """Run the very first inference, and leave its outputs for the comparison."""
        wanted = {each["name"]: each["dtype"] for each in self._session.inputs()}
        given = load_arrays(feeds)
        missing = sorted(set(wanted) - set(given))
        if missing:
            raise ValueError(f"it has an input {missing[0]!r}, which the reference has not")
        self._feeds = {name: _as_type(given[name], dtype) for name, dtype in wanted.items()}
        bind = getattr(self._session, "bind", None)
        self._run = bind(self._feeds) if bind else partial(self._session.run, self._feeds)
        start = time.perf_counter()
        results = self._session.run(self._feeds)
        first = time.perf_counter() - start
        skipped = save_arrays(outputs, results)
        return FirstInference(first * 1e3, skipped)

    def warm(self, seconds: float) -> WarmUp:
        """Run until the times are stable."""
        return warm_up(self._run, seconds)

    def time(self, runs: int, settle: int) -> Block:
        """Time a block of inferences."""
        return measure(self._run, runs, settle)

    def streams(self, streams: int, seconds: float) -> StreamBlock:
        """Run several streams at once for some time."""
        return run_streams(self._parallel(streams), seconds)

    def arrivals(self, streams: int, **plan: Any) -> ArrivalBlock:
        """Answer requests of an open loop; see ``arrivals.serve``."""
        return serve(self._parallel(streams), **plan)

    def _parallel(self, count: int) -> list[Run]:
        """Return a function for each stream: the runner's own, else each on a model of its own."""
        if count == 1:
            return [self._run]
        own = getattr(self._session, "streams", None)
        if len(self._streams) != count and own is not None:
            self._streams = list(own(self._feeds, count))
        while len(self._streams) < count:
            session = self._session if not self._streams else self._load()
            bind = getattr(session, "bind", None)
            self._streams.append(bind(self._feeds) if bind else partial(session.run, self._feeds))
            self._more.append(session)  # kept: a bound function may not hold it
        return self._streams[:count]

    def operators(self, runs: int) -> OperatorBlock:
        """Times of the operators, per inference."""
        times = self._session.operators(self._feeds, runs)
        return known(OperatorBlock, times) if isinstance(times, dict) else OperatorBlock(times)

    def close(self) -> None:
        """Free the model."""
        if self._session is not None:
            self._session.close()

    def memory(self) -> PeakMemory:
        """Return the peak of the whole process so far, in MiB."""
        return PeakMemory(peak_memory_mb())


def _nothing_loaded() -> None:
    raise RuntimeError("nothing was loaded")


def _as_type(array: Any, dtype: str) -> Any:
    """Return the array in the candidate's own element type (an fp16 variant takes fp16)."""
    return array if dtype == "str" else numpy.ascontiguousarray(array, dtype=dtype)


def answer(candidate: object, request: dict[str, Any]) -> dict[str, Any]:
    """Answer a request; an exception of the runner becomes an answer with a reason."""
    arguments = {key: value for key, value in request.items() if key != "do"}
    try:
        made = getattr(candidate, request["do"])(**arguments)
        return dict({} if made is None else vars(made), ok=True)
    except MemoryError:
        return {"ok": False, "error": "out of memory"}
    except Exception as error:
        text = shorten(_CODES.sub("", str(error)), 600, placeholder=" ...") or "no reason given"
        if "bad_alloc" in text or "Failed to allocate memory" in text:  # what native libraries say
            text = "out of memory"
        return {"ok": False, "error": text}


def main() -> int:
    """Answer until standard input ends."""
    return answer_lines(Candidate())


def answer_lines(candidate: object) -> int:
    """Answer by a candidate's methods until standard input ends; the process ends with it."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    writer = LineWriter()
    limit_memory(int(sys.argv[3]) if len(sys.argv) > 3 else 0)
    for line in sys.stdin:
        request = json.loads(line)
        writer.write(answer(candidate, request))
        if request["do"] == "close":
            # Not an orderly exit: some runtimes hang in their destructors.
            os._exit(0)
    os._exit(0)


_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent is gone (Linux; elsewhere nothing)."""
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        parent = os.getppid()
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it went away in between
            os.kill(os.getpid(), signal.SIGKILL)


def limit_memory(megabytes: int) -> None:
    """Limit the address space; 0 means no limit."""
    if megabytes <= 0:
        return
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        size = megabytes << 20
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def peak_memory_mb() -> float:
    """Largest resident memory of this process so far, in MiB."""
    with contextlib.suppress(OSError, ValueError), open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20) if sys.platform == "darwin" else peak / 1024
