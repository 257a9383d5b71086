"""Labels and preprocessing of a source, as texts for the project and next to the output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studio.api import Converted, InvalidModel, ToolchainConverter
from studio.conversion.record import _next_to
from studio.conversion.source_facts import texts_of
from studio.datasets.preprocess import Preprocess

SOURCE = Path("net")


def test_labels_are_one_line_each() -> None:
    texts, warnings = texts_of(Converted("F", labels=["cat", " two\nlines ", "\x1b[2J"]), SOURCE)
    assert texts == {"labels": "cat\ntwo\\nlines\n\\x1b[2J\n"}
    assert warnings == ()


def test_preprocessing_is_what_the_studio_reads(tmp_path: Path) -> None:
    settings = {"resize": "stretch", "height": 32, "width": 48, "mean": [0.5], "std": [0.25]}
    texts, _ = texts_of(Converted("F", preprocess=settings), SOURCE)
    path = tmp_path / "preprocess.toml"
    path.write_text(texts["preprocess"])
    read = Preprocess.from_toml(path)
    assert (read.height, read.width, read.mean, read.std) == (32, 48, (0.5,), (0.25,))


def test_settings_that_do_not_exist_are_a_warning() -> None:
    texts, warnings = texts_of(Converted("F", preprocess={"blur": 3}), SOURCE)
    assert texts == {}
    assert "unknown setting 'blur'" in warnings[0]


def test_too_many_labels_are_a_warning() -> None:
    texts, warnings = texts_of(Converted("F", labels=["x" * 1000] * 2000), SOURCE)
    assert texts == {}
    assert warnings == ("The labels of the source are too long to be kept.",)


def test_nothing_of_the_user_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("mine")
    written = _next_to(tmp_path / "m.onnx", {"labels": "cat\n", "preprocess": "height = 1\n"})
    assert written == (str(tmp_path / "preprocess.toml"),)
    assert (tmp_path / "labels.txt").read_text() == "mine"


class _Toolchain:
    """Returns a fixed result."""

    python = Path("python")

    def __init__(self, result: dict[str, object]) -> None:
        self._result = result

    def version(self, distribution: str) -> str:
        return "1.0"

    def run(self, *_: object) -> dict[str, object]:
        return self._result

    def load(self, *_: object) -> object:
        raise NotImplementedError


def converted(result: dict[str, object]) -> Converted:
    converter = ToolchainConverter(_Toolchain(result))  # type: ignore[arg-type]
    progress: Any = None
    return converter.convert(SOURCE, Path("m.onnx"), {}, Path("."), progress)


def test_the_keys_of_a_tool_are_read() -> None:
    result = {"labels": ["a"], "preprocess": {"mean": [0.5, 1]}, "metadata": {"license": "MIT"}}
    made = converted(result)
    assert (made.labels, made.preprocess) == (("a",), {"mean": [0.5, 1]})
    assert made.metadata == {"license": "MIT"}
    made = converted({})
    assert (made.labels, made.preprocess, made.metadata) == ((), {}, {})


@pytest.mark.parametrize(
    "result",
    [
        {"labels": "abc"},
        {"labels": [1]},
        {"labels": ["x" * 1001]},
        {"labels": ["x"] * 100_001},
        {"labels": {"0": "a"}},
        {"preprocess": [1]},
        {"preprocess": {"mean": [[1]]}},
        {"preprocess": {"mean": [0.0] * 17}},
        {"preprocess": {"x": {"y": 1}}},
        {"metadata": {"license": 1}},
        {"metadata": {"x" * 101: "a"}},
        {"metadata": {str(one): "" for one in range(65)}},
        {"metadata": ["a"]},
    ],
)
def test_values_of_another_form_are_refused(result: dict[str, object]) -> None:
    with pytest.raises(InvalidModel, match="The converter's"):
        converted(result)
