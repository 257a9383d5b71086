"""Sensitivity: through the segments of a branched model a layer has the error it has alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy
import onnx
import pytest
from onnx import helper

from studio.api import Sample, Silent
from studio_onnxruntime.backend import OnnxRuntime
from studio_onnxruntime.sensitivity.chain import Chain
from studio_onnxruntime.sensitivity.noise import CEILING_DB, sqnr_db
from studio_onnxruntime.sensitivity.pieces import Cutter, Pieces
from studio_onnxruntime.static_int8 import StaticInt8
from studio_onnxruntime.tuning import COMPARED, Int8Tuner

from . import models

DEPTH = 13


class Pictures:
    """Random ones."""

    def __len__(self) -> int:
        return 8

    def __iter__(self) -> Iterator[Sample]:
        random = numpy.random.default_rng(4)
        for _ in range(len(self)):
            yield Sample({"x": random.normal(size=(1, 4, 6, 6)).astype("float32")})


def branched(path: Path) -> Path:
    """Convolutions in a row, of which one is read again far behind, and an output in the middle."""
    random = numpy.random.default_rng(2)
    nodes, constants, value = [], {}, "x"
    for index in range(DEPTH):
        constants[f"w{index}"] = random.normal(0, 0.4, size=(4, 4, 3, 3)).astype("float32")
        nodes.append(
            helper.make_node(
                "Conv", [value, f"w{index}"], [f"c{index}"], f"conv{index}", pads=[1] * 4
            )
        )
        nodes.append(helper.make_node("Relu", [f"c{index}"], [f"r{index}"], f"relu{index}"))
        value = f"r{index}"
    nodes.append(helper.make_node("Add", [value, "r1"], ["y"], "again"))
    nodes.append(helper.make_node("Sigmoid", ["r6"], ["middle"], "middle"))
    size = [1, 4, 6, 6]
    return models.save(path, nodes, {"x": size}, {"y": size, "middle": size}, constants)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return branched(tmp_path / "branched.onnx")


@pytest.fixture
def tuner(model: Path, tmp_path: Path) -> Int8Tuner:
    folder = tmp_path / "tuner"
    folder.mkdir()
    return StaticInt8().tuner(model, folder, {}, Pictures(), Silent())


@pytest.mark.slow
def test_the_errors_are_those_of_the_whole_model(
    tuner: Int8Tuner, model: Path, tmp_path: Path
) -> None:
    costs = tuner.costs(Silent(), timed=False)
    assert list(costs) == [f"conv{index}" for index in range(DEPTH)]
    samples = list(Pictures())[:: len(Pictures()) // COMPARED]
    session = OnnxRuntime().load(model, {})
    exact = [session.run(sample.feeds) for sample in samples]
    for name, cost in costs.items():
        made = tuner.write(tmp_path / "one.onnx", [one for one in tuner.layers if one != name])
        alone = OnnxRuntime().load(made.path, {})
        found = [alone.run(sample.feeds) for sample in samples]
        assert cost.sqnr_db == pytest.approx(sqnr_db(exact, found), abs=0.1), name
        assert (cost.float_us, cost.int8_us) == (0, 0)


def test_a_chain_gives_what_the_model_gives(model: Path) -> None:
    loaded = onnx.load(str(model))
    names = [f"conv{index}" for index in range(DEPTH)]
    chain = Chain(loaded, Cutter(loaded, Pieces(loaded.graph)), names)
    assert [len(segment.layers) for segment in chain.segments] == [6, 6, 1]
    feeds = next(iter(Pictures())).feeds
    kept = chain.run(feeds)
    wanted = OnnxRuntime().load(model, {}).run(feeds)
    for name, array in wanted.items():
        assert kept[name] == pytest.approx(array, abs=1e-5)
    # What leaves in the middle does not hang on what comes behind.
    changed = chain.finish(1, {"r11": kept["r11"] + 1}, kept)
    assert (changed["middle"] == kept["middle"]).all()
    assert not numpy.allclose(changed["y"], kept["y"])


def test_decibels_of_a_flipped_decision_do_not_drown_the_rest() -> None:
    exact = numpy.eye(10, dtype="float32")
    close = exact + 0.001
    flipped = close.copy()
    flipped[0] = exact[1]
    same, one, none = (sqnr_db([{"y": exact}], [{"y": each}]) for each in (close, flipped, exact))
    assert none == CEILING_DB
    assert same - one < 8
    nothing = numpy.zeros((1, 4), "float32")
    assert sqnr_db([{"y": nothing}], [{"y": nothing + 1}]) == -CEILING_DB
