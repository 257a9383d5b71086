"""The headline figures of this checkout beside those of another commit, paired in one run.

    make bench-against COMMIT=895b5d3 [ARGS="--rounds 3 --only commands"]

The other commit gets a worktree and an environment of its own in a temporary folder. The code of
the benches is this checkout's for both, except where the other tree cannot run it: then its own
bench of the same name measures, and the table says so. The trees take turns, so that a busy
machine disturbs both alike. A round runs all probes, without those that ``--minutes`` do not allow.
Processor time is used where a figure allows it. A ratio is the geometric mean of the rounds, with
a 95 % interval of Student's t; above 1 this checkout is heavier. What is marked as worse needs a
line in the changelog: its ratio is above ``MOST``, and its interval wholly above 1.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.bench_first_paint import SHOW, STUDIO

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "resources" / "samples" / "digits"
MOST_ROUNDS = {"graph": 3, "transfer": 2}
"""Of probes that take half a minute."""

MOST = 1.05
"""The ratio from which on a figure is worse."""

_STUDENT = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)
"""Two-sided 95 % quantiles for 1 to 9 degrees of freedom."""

_PAINT = STUDIO + SHOW.replace("time.perf_counter() - began", "__import__('time').process_time()")
_ARCHIVE = """
import pathlib, sys
from studio.packages import build_runtime
print(build_runtime(pathlib.Path(sys.argv[1])).size)
"""
_SECOND = """
import sys, numpy, onnx
from onnx import TensorProto, helper, numpy_helper
weights = [numpy.full((16, depth, 3, 3), 0.01, numpy.float32) for depth in (3, 16, 16)]
nodes = [
    helper.make_node("Conv", [f"c{n}", f"w{n}"], [f"c{n + 1}"], pads=[1] * 4) for n in range(3)
]
images, maps = (
    helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", depth, 32, 32])
    for name, depth in (("c0", 3), ("c3", 16))
)
constants = [numpy_helper.from_array(one, f"w{n}") for n, one in enumerate(weights)]
graph = helper.make_graph(nodes, "convolutions", [images], [maps], constants)
opset = [helper.make_opsetid("", 17)]
onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), sys.argv[1])
"""
"""A model whose inference, and not the request, takes the time."""

Figures = Mapping[str, float]


@dataclass(frozen=True)
class Tree:
    """One commit: its files, its Python, and a folder for what it writes.

    Attributes:
        own_benches: Benches for which the code of this checkout failed.
    """

    root: Path
    python: Path
    folder: Path
    own_benches: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """Variables of its processes; an installed program has its bytecode."""
        own = {
            "EDGEWRIGHT_HOME": tempfile.mkdtemp(dir=self.folder),  # results are cached in it
            "PYTHONPYCACHEPREFIX": str(self.folder / "bytecode"),
            "QT_QPA_PLATFORM": "offscreen",
            "ORT_DISABLE_TELEMETRY": "1",
        }
        return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | own

    def output(self, *words: str | Path, cwd: Path | None = None) -> str:
        """Return what its Python prints.

        Raises:
            subprocess.CalledProcessError: when it fails.
        """
        return subprocess.run(
            [str(self.python), *map(str, words)], env=self.environment, cwd=cwd or self.folder,
            capture_output=True, text=True, check=True, timeout=300,
        ).stdout  # fmt: skip

    def compile(self) -> None:
        """Write the bytecode of the studio, which an installed program has."""
        places = (self.root / "studio", self.root / "plugins")
        self.output("-m", "compileall", "-q", "-j", "0", *places)

    def bench(self, name: str, *words: str) -> str:
        """Return what a bench of this checkout prints; where it fails, the tree's own.

        Args:
            words: Options that the benches of all commits have.
        """
        try:
            return self.output("-m", f"tests.benchmarks.{name}", *words)
        except subprocess.CalledProcessError:
            self.own_benches.append(name)
            return self.output("-m", f"tests.benchmarks.{name}", *words, cwd=self.root)


@contextmanager
def other_tree(commit: str, folder: Path) -> Iterator[Tree]:
    """Check a commit out into a folder, with an environment of its own, and remove both."""
    root = folder / "tree"
    git = ("git", "-C", str(ROOT), "worktree")
    try:
        subprocess.run([*git, "add", "--quiet", "--detach", str(root), commit], check=True)
        environment = folder / "environment"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
        [site] = environment.glob("lib/python*/site-packages")
        ours = next(path for path in sys.path if path.endswith("site-packages"))
        # Its packages are this environment's; the studio's own entry points come first.
        (site / "packages.pth").write_text(ours)
        subprocess.run(
            [environment / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-deps",
             "--no-build-isolation", "--no-index", "--ignore-installed", "--editable", root],
            check=True,
        )  # fmt: skip
        yield Tree(root, environment / "bin" / "python", _bench_folder(folder / "other"))
    finally:
        for name in (signal.SIGINT, signal.SIGTERM):  # a second one may not end the removal
            signal.signal(name, signal.SIG_IGN)
        subprocess.run([*git, "remove", "--force", str(root)], check=False)


def _bench_folder(folder: Path) -> Path:
    """Return a folder from which this checkout's benches, and no studio, are imported."""
    folder.mkdir()
    (folder / "tests").symlink_to(ROOT / "tests")
    return folder


def cpu_of(call: Callable[[], object]) -> float:
    """Return the processor time of the processes that a call waits for, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    call()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def commands(tree: Tree) -> Figures:
    """Measure the start of a command and quantization."""
    data = ("--data", SAMPLE / "calibration.npz")
    studio = tree.python.with_name("studio")
    quantize = (studio, "quantize", SAMPLE / "digits.onnx", *data, "--json")
    return {
        "command start, CPU s": cpu_of(lambda: tree.output(studio, "target", "list")),
        "quantize, CPU s": cpu_of(lambda: tree.output(*quantize)),
    }


def paint(tree: Tree) -> Figures:
    """Measure the first painted window."""
    return {"first paint, CPU s": float(tree.output("-c", _PAINT))}


def job_start(tree: Tree) -> Figures:
    """Measure from the click to the first word of a job, with a worker kept ready."""
    found = json.loads(tree.bench("bench_job_start"))
    return {"job start, ms": float(found["median_ms"]["ready"])}


def graph(tree: Tree) -> Figures:
    """Measure a graph of 50,000 nodes in the window."""
    found = json.loads(tree.bench("bench_graph_open"))
    return {
        "graph, first frame, CPU s": float(found["first_frame_cpu_s"]),
        "graph, complete, CPU s": float(found["complete_cpu_s"]),
        "graph, window MB": float(found["window_peak_mb"]),
    }


def transfer(tree: Tree) -> Figures:
    """Measure a model on its way to a board that is near."""
    found = json.loads(tree.bench("bench_transfer", "--rounds", "1"))
    return {"transfer, s": float(found["near"]["seconds"]["studio"])}


def runtime(tree: Tree) -> Figures:
    """Measure the archive of the runtime, and its server with two models."""
    size = float(tree.output("-c", _ARCHIVE, tree.folder))
    second = tree.folder / "convolutions.onnx"
    tree.output("-c", _SECOND, second)
    digits = served(tree, SAMPLE / "digits.onnx", "image", (1, 8, 8))
    found = {
        "archive, bytes": size,
        "runtime, RSS MB": digits["RSS"],
        "import, CPU s": digits["import"],
    }
    for name, figures in (
        ("digits", digits),
        ("convolutions", served(tree, second, "c0", (3, 32, 32))),
    ):
        for clients in (1, 8):
            found[f"serve {name}, c{clients}, CPU ms"] = figures[f"c{clients}"]
    return found


def served(tree: Tree, model: Path, name: str, shape: Sequence[int]) -> Figures:
    """Serve a model; returns its memory, import time and the processor time of a request."""
    words = ("--port", "0", "--threads", "1", "--workers", "1", "--log-requests-per-second", "0")
    server = [str(tree.python), str(tree.folder / "edgewright.pyz"), "serve", "--model", str(model)]
    with subprocess.Popen(
        [*server, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env=tree.environment, cwd=tree.folder,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            ready = json.loads(process.stdout.readline())
            pid, port = int(ready["pid"]), int(ready["endpoint"].rpartition(":")[2])
            found = {"import": _cpu(pid), "RSS": _rss_mb(pid)}
            request = tree.folder / "request"
            request.write_bytes(_request(model.stem, name, shape))
            for clients in (1, 8):
                _load(port, request, clients, 0.5)
                before = _cpu(pid)
                answers = _load(port, request, clients, 3)
                found[f"c{clients}"] = 1000 * (_cpu(pid) - before) / answers
            return found
        finally:
            process.terminate()


def _request(model: str, name: str, shape: Sequence[int]) -> bytes:
    count = math.prod(shape)
    tensor = {"name": name, "datatype": "FP32", "shape": [1, *shape], "data": [0.5] * count}
    body = json.dumps({"inputs": [tensor]}).encode()
    head = (
        f"POST /v2/models/{model}/infer HTTP/1.1", "Host: 127.0.0.1",
        "Content-Type: application/json", f"Content-Length: {len(body)}", "", "",
    )  # fmt: skip
    return "\r\n".join(head).encode() + body


def _load(port: int, request: Path, clients: int, seconds: float) -> int:
    """Send requests in a closed loop; returns the number of answers."""
    line = {"port": port, "request": str(request), "clients": clients, "seconds": seconds}
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.serve.load", str((os.cpu_count() or 1) - 1)],
        input=json.dumps(line) + "\n",
        stdout=subprocess.PIPE, text=True, cwd=ROOT, check=True, timeout=60,
    )  # fmt: skip
    found = json.loads(done.stdout.splitlines()[0])
    if found["failed"]:
        raise SystemExit(f"{found['failed']} requests failed")
    return int(found["answers"])


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


PROBES: Mapping[str, Callable[[Tree], Figures]] = {
    one.__name__: one for one in (commands, paint, runtime, job_start, transfer, graph)
}


def compare(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean ratio of paired rounds with its 95 % interval; one round has no interval."""
    logs = [math.log(a / b) for a, b in zip(ours, theirs, strict=True)]
    middle = statistics.fmean(logs)
    if len(logs) < 2:
        return math.exp(middle), 0.0, math.inf
    freedom = min(len(logs) - 1, len(_STUDENT))
    half = _STUDENT[freedom - 1] * statistics.stdev(logs) / math.sqrt(len(logs))
    return math.exp(middle), math.exp(middle - half), math.exp(middle + half)


def table(
    pairs: Mapping[str, Sequence[tuple[float, float]]], commit: str, own: Collection[str] = ()
) -> str:
    """Return the figures as a table of Markdown.

    Args:
        own: Figures that the other commit's own benches measured for it.
    """
    lines = [
        f"| figure | {commit} | this checkout | ratio | 95 % interval | rounds | |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, rounds in pairs.items():
        ours, theirs = zip(*rounds, strict=True)
        ratio, low, high = compare(ours, theirs)
        mark = "worse" if ratio > MOST and low > 1 else ""
        interval = f"{low:.2f} to {high:.2f}" if len(rounds) > 1 else ""
        star = " *" if name in own else ""
        medians = f"{statistics.median(theirs):.4g} | {statistics.median(ours):.4g}"
        lines.append(
            f"| {name}{star} | {medians} | {ratio:.2f} | {interval} | {len(rounds)} | {mark} |"
        )
    if own:
        lines += ["", f"\\* {commit} was measured with its own bench, as this one fails there."]
    return "\n".join(lines)


@dataclass
class Comparison:
    """The figures of two trees, and those that the second's own benches measured."""

    trees: tuple[Tree, Tree]
    pairs: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)

    def measure(self, probes: Sequence[str], rounds: int, end: float) -> None:
        """Run the probes on both trees in turn; each round begins with the other tree.

        Args:
            end: ``time.monotonic()`` after which no probe may end, by its time in the last round.
        """
        for tree in self.trees:
            tree.compile()
            for name in {"commands", "paint"}.intersection(probes):
                PROBES[name](tree)
        took = dict.fromkeys(probes, 0.0)
        for number in range(rounds):
            for name in probes:
                began = time.monotonic()
                if number < MOST_ROUNDS.get(name, rounds) and began + took[name] < end:
                    print(f"{name}, round {number + 1}", file=sys.stderr, flush=True)
                    self._measure(name, self.trees if number % 2 else self.trees[::-1])
                    took[name] = time.monotonic() - began

    def _measure(self, name: str, order: Sequence[Tree]) -> None:
        figures = {tree.root: PROBES[name](tree) for tree in order}
        this, other = self.trees
        for figure, value in figures[this.root].items():
            self.pairs.setdefault(figure, []).append((value, figures[other.root][figure]))
            if other.own_benches:
                self.own.add(figure)
        other.own_benches.clear()


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("commit")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=9, help="time for all (%(default)s)")
    parser.add_argument("--only", action="append", choices=PROBES)
    given = parser.parse_args(argv)
    end = time.monotonic() + 60 * given.minutes
    for number in (signal.SIGINT, signal.SIGTERM):  # on the way out worktree and folder are removed
        signal.signal(number, lambda received, _: sys.exit(128 + received))
    with tempfile.TemporaryDirectory(
        prefix="edgewright-against-", ignore_cleanup_errors=True
    ) as name:
        folder = Path(name)
        this = Tree(ROOT, Path(sys.executable), _bench_folder(folder / "this"))
        with other_tree(given.commit, folder) as other:
            comparison = Comparison((this, other))
            comparison.measure(given.only or [*PROBES], given.rounds, end)
        print(table(comparison.pairs, given.commit, comparison.own))
    return 0


if __name__ == "__main__":
    sys.exit(main())
