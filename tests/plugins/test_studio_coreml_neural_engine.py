"""The rules of the Neural Engine, on nodes that break one each; no coremltools is needed."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from studio.api import (
    Compiled,
    Graph,
    Initializer,
    InvalidModel,
    Node,
    Silent,
    TensorType,
    Toolchain,
    Unavailable,
    UsageError,
    Value,
)
from studio_coreml.neural_engine import NeuralEngine
from studio_coreml.program import graph_of

PROGRAM: dict[str, object] = {
    "inputs": ["image"],
    "outputs": ["y"],
    "operators": [
        ["half", "cast", ["image", "dtype"], ["half"], {"dtype": ["fp16"]}],
        ["y", "conv", ["half", "w"], ["y"], {"weight sizes": [8, 3, 3, 3], "scale": [0.5]}],
    ],
    "constants": {"dtype": ["string", []], "w": ["float16", [8, 3, 3, 3]]},
    "values": {
        "image": ["float32", [1, 3, 8, 8]],
        "half": ["float16", [1, 3, 8, 8]],
        "y": ["float16", [1, 8, 6, 6]],
    },
}
"""Parts of what ``tool_program.py`` returns, in their order."""


class Reader:
    """An environment whose tool returns one answer."""

    def __init__(self, answer: dict[str, object]) -> None:
        self._answer = answer

    def run(self, *_: object) -> dict[str, object]:
        return self._answer


def compiled(answer: dict[str, object], folder: Path) -> Compiled:
    compiler = NeuralEngine(cast(Toolchain, Reader(answer)))
    return compiler.compile(folder, folder / "out", {"family": "A14"}, {}, folder, Silent())


def placed(broken: Node, family: str, *kinds: TensorType) -> tuple[bool, str]:
    """Place a node from ``x`` with a weight to ``y``."""
    x, y = (*kinds, *kinds)[:2]
    weights = {"w": Initializer("w", TensorType("float16", (4,)), 8)}
    graph = Graph("main", (Value("x", x),), (Value("y", y),), (broken,), weights, {"x": x, "y": y})
    (one,) = NeuralEngine(cast(Toolchain, None)).place(graph, {"family": family})
    return one.on_chip, one.reason


def node(operator: str, **attributes: object) -> Node:
    given = {name.replace("_", " "): value for name, value in attributes.items()}
    return Node("n", operator, ("x", "w"), ("y",), attributes=given)  # type: ignore[arg-type]


HALF = TensorType("float16", (1, 3, 8, 8))


def test_a_program_is_placed_whole(tmp_path: Path) -> None:
    made = compiled({"program": list(PROGRAM.values())}, tmp_path)
    assert [(one.operator, one.on_chip) for one in made.nodes] == [("cast", True), ("conv", True)]
    assert made.estimate["parameter_bytes"] == 8 * 3 * 3 * 3 * 2
    assert "measurements of others" in made.warnings[0]


def test_a_package_that_cannot_be_read_has_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match="no program"):
        compiled({"error": "It has no program."}, tmp_path)


@pytest.mark.parametrize(
    "damage",
    [
        {"more": []},
        {"operators": 3},
        {"operators": [["n", "relu"]]},
        {"values": {"image": ["float16"]}},
        {"values": {"image": ["float16", ["long"]]}},
        {"inputs": ["unknown"]},
        {"outputs": [3]},
    ],
)
def test_a_damaged_answer_is_one_sentence(damage: dict[str, object]) -> None:
    with pytest.raises(InvalidModel, match="not valid"):
        graph_of(list({**PROGRAM, **damage}.values()))


def test_nothing_here_computes_as_the_engine(tmp_path: Path) -> None:
    engine = NeuralEngine(cast(Toolchain, None))
    with pytest.raises(Unavailable, match="computes as the Neural Engine does"):
        engine.answer(tmp_path, tmp_path, tmp_path, tmp_path, Silent())


@pytest.mark.parametrize(
    ("broken", "kind", "family", "reason"),
    [
        (node("lstm"), HALF, "A15", "The list for Neural Engines of A15 has no lstm."),
        (node("gather"), HALF, "A13", "The list for Neural Engines of A13 has no gather."),
        (node("sin"), HALF, "A14", "The list for Neural Engines of A14 has no sin."),
        (node("relu"), TensorType("float16", (1, None)), "A14", "'x' has open sizes."),
        (
            node("relu"),
            TensorType("float32", (1, 4)),
            "A14",
            "'x' is float32; the engine computes in float16.",
        ),
        (
            node("add"),
            TensorType("int32", (1, 4)),
            "A14",
            "'x' is int32, for which the engine has no path.",
        ),
        (
            node("relu"),
            TensorType("float16", (1,) * 6),
            "A14",
            "'x' has 6 axes, and the engine takes 5.",
        ),
        (
            node("relu"),
            TensorType("float16", (1, 1, 1, 16_385)),
            "A14",
            "'x' has an axis of more than 16,384.",
        ),
        (
            node("relu"),
            TensorType("float16", (1, 65_537)),
            "A14",
            "'x' has an axis of more than 65,536.",
        ),
        (
            node("conv", weight_sizes=(8, 3, 3, 14)),
            HALF,
            "A13",
            "Its kernel has 3 by 14 values, and the engine takes 29 by 13.",
        ),
        (
            node("conv", weight_sizes=(8, 3, 17)),
            HALF,
            "A14",
            "Its kernel has 1 by 17 values, and the engine takes 32 by 16.",
        ),
        (
            node("conv", weight_sizes=(8, 3, 3, 3, 3)),
            HALF,
            "A14",
            "It has three axes, and the engine takes convolutions of one or two.",
        ),
        (
            node("linear"),
            TensorType("float16", (1, 1, 1, 1, 4)),
            "A14",
            "'x' has 5 axes, and linear takes fewer.",
        ),
        (node("pad", mode="reflect"), HALF, "A13", "A13 pads with a constant alone."),
        (
            node("pad", pad=(0, 0, 1, 0, 0, 0, 0, 0)),
            HALF,
            "A14",
            "It pads another axis than height and width.",
        ),
        (
            node("reduce_argmax", axis=(1,)),
            TensorType("float16", (1, 2049)),
            "A14",
            "It looks through 2,049 values, and the engine through 2,048.",
        ),
        (node("cast", dtype="int32"), HALF, "A13", "A13 casts nothing to int32."),
    ],
)
def test_each_rule_has_its_sentence(
    broken: Node, kind: TensorType, family: str, reason: str
) -> None:
    assert placed(broken, family, kind) == (False, reason)


@pytest.mark.parametrize(
    ("kept", "kind", "family"),
    [
        (node("gather"), HALF, "A14"),
        (node("sin"), HALF, "A15"),
        (node("cast", dtype="fp16"), TensorType("float32", (1, 4)), "A13"),
        (node("relu"), TensorType("float16", (1, 1, 1, 16_384)), "A13"),
        (node("relu"), TensorType("float16", (1, 65_536)), "A13"),
        (node("conv", weight_sizes=(8, 3, 29, 13)), HALF, "A13"),
        (node("pad", mode="reflect", pad=(1, 1, 1, 1)), HALF, "A14"),
        (node("reduce_argmax", axis=(1,)), TensorType("float16", (1, 2048)), "A13"),
        (node("reduce_argmax"), TensorType("float16", (2049, 4)), "A13"),
    ],
)
def test_what_breaks_no_rule_is_placed(kept: Node, kind: TensorType, family: str) -> None:
    assert placed(kept, family, kind) == (True, "")


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(UsageError, match="A13, A14, A15, not for 'A99'"):
        NeuralEngine(cast(Toolchain, None)).rules({"family": "A99"})
