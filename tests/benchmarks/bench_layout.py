"""The layout of generated graphs: time, memory, width, and time and crossings beside dagre's.

dagre is fetched with the ordinary npm client into a folder of its own; without npm its part is
left out. Both get the same boxes and distinct edges; time is CPU time, each in its own process.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from studio.api import GraphLayout
from studio.models.layout import lay_out
from tests.benchmarks.generated import KINDS

DAGRE = "@dagrejs/dagre@3.1.3"
SIZES = (1_000, 5_000, 20_000, 50_000)
BESIDE_DAGRE = (1_000, 2_000, 5_000)
SCRIPT = Path(__file__).with_name("layout_dagre.cjs")

Line = tuple[int, int, list[tuple[float, float]]]
"""From box, to box, points."""


def measure(kind: str, count: int) -> dict[str, Any]:
    """Our layout alone, in this process."""
    graph = KINDS[kind](count)
    times = []
    for _ in range(3):
        began = time.process_time()
        layout = lay_out(graph)
        times.append(time.process_time() - began)
    one_block = lay_out(KINDS[kind](1))
    return {
        "nodes": len(graph.nodes),
        "edges": len(layout.edges),
        "cpu_s": round(min(times), 3),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "width": layout.size[0],
        "widths_of_a_block": round(layout.size[0] / one_block.size[0], 2),
        "overlaps": overlaps(layout),
        "edges_not_downward": upward(layout),
        "repeatable": layout == lay_out(KINDS[kind](count)),
    }


def overlaps(layout: GraphLayout) -> int:
    """Pairs of neighbours in a row that touch; boxes of other rows cannot."""
    order = sorted(
        (layout.y[box], layout.x[box], layout.width[box])
        for box in range(len(layout.x))
        if layout.width[box]
    )
    return sum(one[0] == other[0] and one[1] + one[2] >= other[1] for one, other in pairwise(order))


def upward(layout: GraphLayout) -> int:
    """Edges that do not run downward all the way."""
    found = 0
    for (source, target, _), bends in zip(layout.edges, layout.bends, strict=True):
        ys = [layout.y[source] + layout.height[source], *bends[1::2], layout.y[target]]
        found += any(low > high for low, high in pairwise(ys))
    return found


def our_lines(layout: GraphLayout) -> Iterator[Line]:
    """The edges of our layout, one for each pair of boxes."""
    seen: set[tuple[int, int]] = set()
    for (source, target, _), bends in zip(layout.edges, layout.bends, strict=True):
        if (source, target) not in seen:
            seen.add((source, target))
            start = (
                layout.x[source] + layout.width[source] / 2,
                layout.y[source] + layout.height[source],
            )
            end = (layout.x[target] + layout.width[target] / 2, layout.y[target])
            middle = list(zip(bends[::2], bends[1::2], strict=True))
            yield source, target, [start, *middle, end]


def crossings(lines: list[Line], *, bundled: bool = False) -> int:
    """Pairs of edges without a common box that properly cross somewhere in the drawing.

    Args:
        bundled: Count what one sees: edges of one box that run on one line are one line.
    """
    segments, ends = [], []
    drawn: set[tuple[float, ...]] = set()
    for source, target, points in lines:
        for one, other in pairwise(points):
            if bundled and (source, *one, *other) in drawn:
                continue
            drawn.add((source, *one, *other))
            segments.append((*one, *other))
            ends.append((source, target, len(ends)))
    x0, y0, x1, y1 = np.array(segments).T
    source, target, _ = np.array(ends).T
    owner = source * (target.max() + 1) + target
    found: set[tuple[int, int]] = set()
    for k in range(len(segments)):
        later = slice(k + 1, None)
        sides = _side(x0[k], y0[k], x1[k], y1[k], x0[later], y0[later]) * _side(
            x0[k], y0[k], x1[k], y1[k], x1[later], y1[later]
        )
        others = _side(x0[later], y0[later], x1[later], y1[later], x0[k], y0[k]) * _side(
            x0[later], y0[later], x1[later], y1[later], x1[k], y1[k]
        )
        apart = (source[later] != source[k]) & (target[later] != target[k])
        for other in np.nonzero((sides < 0) & (others < 0) & apart)[0]:
            found.add((int(owner[k]), int(owner[k + 1 + other])))
    return len(found)


def _side(ax: Any, ay: Any, bx: Any, by: Any, px: Any, py: Any) -> Any:
    """On which side of a line a point lies: -1, 0 or 1; a hundredth of a pixel is on it."""
    cross = (bx - ax) * (py - ay) - (by - ay) * (px - ax)
    return np.where(np.abs(cross) < 0.01, 0, np.sign(cross))


def beside_dagre(kind: str, count: int, folder: Path, limit: float) -> dict[str, Any]:
    """Both layouts of one graph.

    Args:
        limit: Seconds of processor time after which dagre is ended; what it had used by then is the
            least that it would have taken.
    """
    graph = KINDS[kind](count)
    began = time.process_time()
    layout = lay_out(graph)
    ours = time.process_time() - began
    pairs = sorted({edge[:2] for edge in layout.edges})
    data = {"widths": layout.width, "height": 44.0, "pairs": pairs}
    theirs, used = _dagre(folder, data, limit)
    seconds = used if theirs is None else theirs["seconds"]
    result: dict[str, Any] = {
        "nodes": len(graph.nodes),
        "our_cpu_s": round(ours, 3),
        "dagre_ended": theirs is not None,
        "dagre_cpu_s": round(seconds, 3),
        "times_faster" if theirs is not None else "times_faster_at_least": round(seconds / ours, 1),
    }
    if theirs is None:
        return result
    if count <= 1_000:
        result["our_crossings"] = crossings(list(our_lines(layout)))
        result["our_crossings_seen"] = crossings(list(our_lines(layout)), bundled=True)
        result["dagre_crossings"] = crossings(theirs["lines"])
    return result


def _dagre(folder: Path, data: dict[str, Any], limit: float) -> tuple[dict[str, Any] | None, float]:
    """What dagre says, None where it did not end within the limit; and its processor time."""

    def limited() -> None:
        # The soft limit ends node by SIGXCPU; all its threads count.
        resource.setrlimit(resource.RLIMIT_CPU, (round(limit), round(limit) + 5))

    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        ["node", "--stack-size=4000", str(SCRIPT), str(folder)],
        input=json.dumps(data), capture_output=True, text=True, preexec_fn=limited, check=False,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if done.returncode == 0:
        return json.loads(done.stdout), used
    if done.returncode not in (-signal.SIGXCPU, -signal.SIGKILL):
        raise RuntimeError(f"dagre failed: {done.stderr[-500:]}")
    return None, used


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--one", nargs=2, metavar=("KIND", "COUNT"), help="one graph, alone")
    parser.add_argument("--dagre", type=Path, help="folder in which dagre is installed already")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds that dagre may take")
    parser.add_argument(
        "--beside", nargs=2, metavar=("KIND", "COUNT"), help="one graph beside dagre, alone"
    )
    arguments = parser.parse_args()
    if arguments.beside:
        with tempfile.TemporaryDirectory(prefix="edgewright-dagre-") as name:
            folder = arguments.dagre or _fetch(Path(name))
            assert folder is not None, "npm and node are needed"
            kind, count = arguments.beside
            print(json.dumps(beside_dagre(kind, int(count), folder, arguments.limit)))
        return
    if arguments.one:
        print(json.dumps(measure(arguments.one[0], int(arguments.one[1]))))
        return
    result: dict[str, Any] = {"dagre": DAGRE, "layout": {}, "beside_dagre": {}}
    for kind in KINDS:
        for count in SIZES:
            result["layout"][f"{kind}_{count}"] = _alone(kind, count)
    with tempfile.TemporaryDirectory(prefix="edgewright-dagre-") as name:
        folder = arguments.dagre or _fetch(Path(name))
        for kind in KINDS if folder else ():
            for count in BESIDE_DAGRE:
                result["beside_dagre"][f"{kind}_{count}"] = beside_dagre(
                    kind, count, folder, arguments.limit
                )
    print(json.dumps(result, indent=1))


def _alone(kind: str, count: int) -> Any:
    """In a process of its own, so that the peak of memory is its own."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.bench_layout", "--one", kind, str(count)],
        stdout=subprocess.PIPE, text=True, timeout=600, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def _fetch(folder: Path) -> Path | None:
    """Install dagre; None where there is no npm."""
    if shutil.which("npm") is None or shutil.which("node") is None:
        return None
    subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), DAGRE],
        stdout=sys.stderr, timeout=300, check=True,
    )  # fmt: skip
    return folder


if __name__ == "__main__":
    main()
