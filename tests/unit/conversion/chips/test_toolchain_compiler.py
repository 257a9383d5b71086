"""Answers of a compiler's process, which has read a file of a stranger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studio.api import InvalidModel, PlacedNode, ToolchainCompiler
from studio.api.chips import RefusedModel

NODE = {"name": "conv", "operator": "Conv2D", "on_chip": True, "reason": ""}


class _Toolchain:
    """Returns a fixed result."""

    def __init__(self, result: dict[str, object]) -> None:
        self._result = result

    def version(self, distribution: str) -> str:
        return "1.0"

    def run(self, *_: object) -> dict[str, object]:
        return self._result


def compiled(folder: Path, **result: object) -> Any:
    compiler = ToolchainCompiler(_Toolchain(result))  # type: ignore[arg-type]
    compiler.title = "Tool"
    nothing: Any = None
    return compiler.compile(folder / "m.tflite", folder / "m", {}, {}, folder, nothing)


def test_a_sound_answer_is_typed(tmp_path: Path) -> None:
    (tmp_path / "m_out.bin").write_bytes(b"x")
    made = compiled(tmp_path, nodes=[NODE], estimate={"cycles": 7}, artefact="m_out.bin")
    assert made.nodes == (PlacedNode("conv", "Conv2D", True),)
    assert made.estimate == {"cycles": 7.0}
    assert made.artefact == tmp_path / "m_out.bin"
    assert (made.toolchain, made.how) == ("Tool 1.0", "compiled")
    assert compiled(tmp_path, how="rules").how == "rules"
    assert compiled(tmp_path, how="a guess").how == "compiled"
    assert compiled(tmp_path).nodes == ()


def test_the_fault_of_a_model_is_its_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidModel, match=r"Tool refuses it\."):
        compiled(tmp_path, error="Tool refuses it.")


@pytest.mark.parametrize(
    "nodes",
    [
        "conv",
        [7],
        [{"name": "conv"}],
        [{**NODE, "on_chip": 1}],
        [{**NODE, "name": 7}],
        [{**NODE, "name": "x" * 2000}],
        [{**NODE, "more": 1}],
        [{**NODE, "preset": 7}],
        [{**NODE, "keep_float": 1}],
    ],
)
def test_nodes_that_are_none_are_refused(tmp_path: Path, nodes: object) -> None:
    with pytest.raises(InvalidModel, match="list of nodes"):
        compiled(tmp_path, nodes=nodes)


@pytest.mark.parametrize(
    "estimate",
    [
        {"cycles": "7"},
        {"cycles": float("inf")},
        {"cycles": float("nan")},
        {"cycles": 10**400},
        {7: 7},
        {str(n): n for n in range(99)},
    ],
)
def test_figures_that_are_none_are_refused(tmp_path: Path, estimate: object) -> None:
    with pytest.raises(InvalidModel, match="figures"):
        compiled(tmp_path, estimate=estimate)


def test_an_output_elsewhere_is_refused(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "secret").write_bytes(b"x")
    (work / "link").symlink_to(tmp_path / "secret")
    for name in ("../secret", "link", "missing", str(tmp_path / "secret")):
        with pytest.raises(InvalidModel, match="not where it should be"):
            compiled(work, artefact=name)


def test_warnings_are_texts(tmp_path: Path) -> None:
    assert compiled(tmp_path, warnings=["Look."]).warnings == ("Look.",)
    with pytest.raises(InvalidModel, match="short texts"):
        compiled(tmp_path, warnings=[7])


def test_remedies_are_typed(tmp_path: Path) -> None:
    row = {**NODE, "on_chip": False, "preset": "fp16", "edits": ["fold"], "keep_float": True}
    (node,) = compiled(tmp_path, nodes=[row]).nodes
    assert (node.preset, node.edits, node.keep_float) == ("fp16", ("fold",), True)
    assert compiled(tmp_path, edits=["fold"]).edits == ("fold",)
    with pytest.raises(RefusedModel, match="open sizes") as caught:
        compiled(tmp_path, error="It has open sizes.", edits=["dimensions x=1"])
    assert caught.value.edits == ("dimensions x=1",)


@pytest.mark.parametrize("edits", ["fold", [7], ["x" * 3000], ["fold"] * 100])
def test_edits_that_are_none_are_refused(tmp_path: Path, edits: object) -> None:
    with pytest.raises(InvalidModel):
        compiled(tmp_path, edits=edits)
    with pytest.raises(InvalidModel):
        compiled(tmp_path, nodes=[{**NODE, "edits": edits}])
