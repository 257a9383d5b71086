"""Versions of the digits model that are as good as each other, or worse on purpose, and clients."""

from __future__ import annotations

import http.client
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper
from PIL import Image

from studio.packages.bundle import Bundle
from studio.packages.work import package
from tests.benchmarks.zoo.entries import entry
from tests.rigs.bundles import QuietJob, package_options, reference
from tests.rigs.load import Load

BLOCKS = 12
"""Products of matrices beside the net, so that a run takes long enough to be told from another."""
A_THIRD_SLOWER = 20
"""So many take 1.34 times as long as ``BLOCKS`` (processor time of one thread; 17 take 1.21)."""
_SIZE = 192


def make_version(
    path: Path, *, blocks: int = BLOCKS, wrong: float = 0.0, jitter: float = 0.0, seed: int = 0
) -> Path:
    """Write a version of the studio's digits model.

    Args:
        blocks: Work beside the net, which does not change the answers: more of it is slower.
        wrong: Share of the pictures, by a hash of their pixels, that get the next class.
        jitter: Relative change of the weights, as between two trainings to the same end.
    """
    model = onnx.load(str(entry("digits").folder() / "model.onnx"))
    graph, draws = model.graph, np.random.default_rng(seed)
    if jitter:
        for tensor in graph.initializer:
            values = numpy_helper.to_array(tensor)
            if values.dtype == np.float32:
                changed = values * (1 + jitter * draws.normal(size=values.shape))
                tensor.CopyFrom(numpy_helper.from_array(changed.astype(np.float32), tensor.name))
    end = next(node for node in graph.node if "logits" in node.output)
    end.output[0] = "true_logits"
    _work(graph, blocks)
    _mistakes(graph, wrong)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def _work(graph: onnx.GraphProto, blocks: int) -> None:
    """Products whose result is added after it was multiplied by nothing."""
    draws = np.random.default_rng(7)
    first = draws.normal(0, 0.1, (64, _SIZE)).astype(np.float32)
    graph.initializer.append(numpy_helper.from_array(first, "work"))
    graph.initializer.append(numpy_helper.from_array(np.zeros(1, np.float32), "nothing"))
    add = graph.node.append
    add(helper.make_node("Flatten", ["image"], ["pixels"]))
    add(helper.make_node("MatMul", ["pixels", "work"], ["work_0"]))
    for place in range(blocks):
        weights = draws.normal(0, 0.07, (_SIZE, _SIZE)).astype(np.float32)
        graph.initializer.append(numpy_helper.from_array(weights, f"w_{place}"))
        add(helper.make_node("MatMul", [f"work_{place}", f"w_{place}"], [f"product_{place}"]))
        add(helper.make_node("Tanh", [f"product_{place}"], [f"work_{place + 1}"]))
    mean = helper.make_node("ReduceMean", [f"work_{blocks}"], ["mean"], axes=[1], keepdims=1)
    add(mean)
    add(helper.make_node("Mul", ["mean", "nothing"], ["none"]))
    add(helper.make_node("Add", ["true_logits", "none"], ["worked"]))


def _mistakes(graph: onnx.GraphProto, share: float) -> None:
    if not share:
        graph.node.append(helper.make_node("Identity", ["worked"], ["logits"]))
        return
    hashing = np.random.default_rng(3).uniform(1, 50, (64, 1)).astype(np.float32)
    order = np.roll(np.arange(10), 1).astype(np.int64)
    graph.initializer.append(numpy_helper.from_array(hashing, "hashing"))
    graph.initializer.append(numpy_helper.from_array(order, "order"))
    graph.initializer.append(numpy_helper.from_array(np.float32([1 - share]), "below"))
    for node in (
        helper.make_node("MatMul", ["pixels", "hashing"], ["hash"]),
        helper.make_node("Floor", ["hash"], ["whole"]),
        helper.make_node("Sub", ["hash", "whole"], ["rest"]),
        helper.make_node("Greater", ["rest", "below"], ["is_wrong"]),
        helper.make_node("Gather", ["worked", "order"], ["others"], axis=1),
        helper.make_node("Where", ["is_wrong", "others", "worked"], ["logits"]),
    ):
        graph.node.append(node)


def digits() -> np.ndarray:
    """All of scikit-learn's pictures, frames x 1 x 8 x 8, from 0 to 1."""
    from sklearn.datasets import load_digits  # takes seconds, and few tests need it

    found: np.ndarray = (load_digits().images / 16).astype(np.float32)[:, None]
    return found


def known() -> np.ndarray:
    """Every other one: of all writers, as what clients ask; the first half has other writers."""
    return digits()[::2]


PREPROCESS = """\
resize = "stretch"
height = 8
width = 8
color = "GRAY"
scale = {scale}
"""


WORSE: Mapping[str, Mapping[str, Any]] = {
    "wrong labels": {"wrong": 0.1},
    "slower": {"blocks": A_THIRD_SLOWER},
    "wrong preprocessing": {},
}
"""Ways in which a version is worse, and how ``make_version`` makes it."""


def make_worse(folder: Path, what: str) -> tuple[Path, tuple[str | Path, ...]]:
    """A version that is worse in one way, and the words of its deploy; pictures where there are."""
    model = make_version(folder / "digits.onnx", **WORSE[what])
    if what != "wrong preprocessing":
        return model, ()
    wrong = folder / "wrong.toml"
    wrong.write_text(PREPROCESS.format(scale=1 / 510))
    return model, ("--preprocess", wrong)


def make_bundle(
    folder: Path, version: int, *, scale: float = 1 / 255, model: Path | None = None, **how: float
) -> Bundle:
    """A bundle of such a version, with reference data.

    Args:
        scale: That its preparation of pictures multiplies with.
        model: A version that is made already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made = model or make_version(folder / "digits.onnx", **how)  # type: ignore[arg-type]
    np.savez(folder / "data.npz", image=known())
    (folder / "preprocess.toml").write_text(PREPROCESS.format(scale=scale))
    asked = package_options(
        reference(made, "digits"),
        version,
        samples=2,
        data=folder / "data.npz",
        preprocess=folder / "preprocess.toml",
    )
    return Bundle.open(Path(package(asked, QuietJob(folder / f"job-{version}")).bundle))


class Clients(Load):
    """Clients that send one digit after another, as tensors or as pictures; any answer counts."""

    def __init__(
        self,
        port: int,
        clients: int = 2,
        pictures: bool = False,
        connect: Callable[[], http.client.HTTPConnection] | None = None,
        fresh: bool = False,
    ) -> None:
        super().__init__(port, clients, "digits", connect, fresh=fresh)
        self._pictures = pictures
        self._bodies = _pngs() if pictures else _tensors()
        self._number = 0

    def _ask(self) -> None:
        link = self._connect()
        path, headers = _PLACE[self._pictures]
        draws = np.random.default_rng(len(self._threads) + id(link) % 1000)
        while not self._stop.is_set():
            body = self._bodies[int(draws.integers(len(self._bodies)))]
            try:
                link.request("POST", path, body, headers)
                answer = link.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                break
            if answer.status != 200:
                self.failures.append(f"{answer.status}: {content[:200]!r}")
                break
            if self._fresh:
                link.close()
            with self._lock:
                self.answers += 1
        link.close()


_HEAD = (
    b'{"inputs":[{"name":"image","shape":[1,1,8,8],"datatype":"FP32",'
    b'"parameters":{"binary_data_size":256}}],'
    b'"outputs":[{"name":"logits","parameters":{"binary_data":true}}]}'
)
_PLACE = {
    False: (
        "/v2/models/digits/infer",
        {"Inference-Header-Content-Length": str(len(_HEAD))},
    ),
    True: ("/edgewright/models/digits/image", {"Content-Type": "image/png"}),
}


def _tensors() -> Sequence[bytes]:
    return [_HEAD + one.tobytes() for one in digits()[1::2]]


def _pngs() -> Sequence[bytes]:
    found = []
    for one in digits()[1::2]:
        file = io.BytesIO()
        Image.fromarray((one[0] * 255).round().astype(np.uint8)).save(file, "PNG")
        found.append(file.getvalue())
    return found
