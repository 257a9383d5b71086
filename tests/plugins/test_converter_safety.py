"""What converters refuse before a library of theirs reads it, without their environments."""

from __future__ import annotations

import io
import json
import pickle
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.hostile_files import exports, trees
from tests.e2e.hostile_files.kinds import Hostile, Payload

PLUGINS = Path(__file__).parents[2] / "plugins"
SOURCES = Path(__file__).parents[1] / "data" / "sources"
IN_GRAPH = [one for one in exports.FILES if "no operator" in one.words or "no expr" in one.words]


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """``parts(plugin, name)``: a part of a converter's tool, found as the tool finds it."""

    def part(plugin: str, name: str) -> Any:
        monkeypatch.syspath_prepend(str(PLUGINS / plugin))
        return __import__(name)

    yield part
    for name in ("tool_structure", "tool_ubjson", "tool_safety"):
        sys.modules.pop(name, None)


def made(folder: Path, file: Hostile) -> Path:
    return file.make(folder, Payload(folder / "canary"))


@pytest.mark.parametrize("file", trees.FILES, ids=lambda one: one.name)
def test_trees_that_lie_are_refused(parts: Any, tmp_path: Path, file: Hostile) -> None:
    with pytest.raises(ValueError, match="it") as refused:
        parts("studio_trees", "tool_structure").check(made(tmp_path, file).read_bytes())
    assert file.words in str(refused.value)


def test_sound_trees_pass(parts: Any) -> None:
    check = parts("studio_trees", "tool_structure").check
    check((SOURCES / "lightgbm.txt").read_bytes())
    check(trees.lightgbm())
    check(json.dumps(trees.xgboost()).encode())


def test_a_chain_of_splits_is_refused(parts: Any) -> None:
    count = 1000
    chain = {
        "num_leaves": str(count + 1),
        "left_child": " ".join(str(at) for at in [*range(1, count), -1]),
        "right_child": " ".join(["-1"] * count),
        **dict.fromkeys(("split_feature", "decision_type", "threshold"), "0 " * count),
        **dict.fromkeys(("split_gain", "internal_value", "leaf_count", "leaf_weight"), ""),
        **dict.fromkeys(("internal_weight", "internal_count"), ""),
        "leaf_value": "1 " * (count + 1),
    }
    with pytest.raises(ValueError, match="deeper than 500 levels"):
        parts("studio_trees", "tool_structure").check(trees.lightgbm(chain))


@pytest.mark.parametrize("length", [0, 1, 30, 200])
def test_ubjson_that_is_cut_is_refused(parts: Any, length: int) -> None:
    with pytest.raises(ValueError, match=r"cut off|unknown marker"):
        parts("studio_trees", "tool_ubjson").loads((b"{L" + bytes(7) + b"\x01k[#L")[:length])


def documents(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield what PyTorch's reader would find."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            content = archive.read(name) if name.endswith(".json") else b""
            yield name.partition("/")[2], content


@pytest.mark.parametrize("file", IN_GRAPH, ids=lambda one: one.name)
def test_exports_that_carry_code_are_refused(parts: Any, tmp_path: Path, file: Hostile) -> None:
    path = made(tmp_path, file)
    with pytest.raises(ValueError, match=file.words):
        parts("studio_pytorch", "tool_safety").check_export(str(path), documents(path))


def test_a_sound_export_passes(parts: Any) -> None:
    path = SOURCES / "export.pt2"
    parts("studio_pytorch", "tool_safety").check_export(str(path), documents(path))


@pytest.mark.parametrize(
    "size",
    [
        "Symbol('s77', positive=True, integer=True)",
        "2*s0 + FloorDiv(s1, 2)",
        "Float('2.0', precision=53)",
        "Piecewise((s0, Eq(s1, 3)), (1, True))",
        "int_oo",
    ],
)
def test_sizes_are_expressions(parts: Any, size: str) -> None:
    parts("studio_pytorch", "tool_safety")._check_text("expr_str", size)


@pytest.mark.parametrize(
    "size",
    [
        "exec('x')",
        "Symbol.__class__",
        "(lambda: 1)()",
        "[1]",
        "'a'.b",
        "Integer('__import__(1)')",
        "exec=1)(x",
        "1" * 50_000 + "!x",
    ],
)
def test_code_is_no_size(parts: Any, size: str) -> None:
    with pytest.raises(ValueError, match="no expression of sizes"):
        parts("studio_pytorch", "tool_safety")._check_text("expr_str", size)


def test_no_class_of_a_pickle_is_found_while_a_file_is_loaded(parts: Any, tmp_path: Path) -> None:
    content = pickle.dumps(io.BytesIO)
    safety = parts("studio_pytorch", "tool_safety")
    with safety.no_pickles(), pytest.raises(ValueError, match="it holds a pickle"):
        pickle.loads(content)
    assert pickle.loads(content) is io.BytesIO
