"""The subject of evidence by all the names that it can have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.api import UsageError
from studio.features.evidence.records.subject import find_subject
from studio.registry import Registry


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """A model with two variants; the second one has a version."""
    opened = Registry.open(tmp_path / "data" / "registry")
    model = opened.add_model("digits")
    for name, content in (("fp32", b"float"), ("int8", b"small")):
        file = tmp_path / f"{name}.onnx"
        file.write_bytes(content)
        kept = opened.adopt(file)
        variant = opened.add_variant(model, name, kept, format="onnx", precision=name)
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "manifest.json").write_text("{}")
    opened.add_version(model, variant.id, opened.adopt(folder), "ee" * 32, 1)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("text", "variant", "version"),
    [
        ("digits", "int8", 1),
        ("digits:fp32", "fp32", None),
        ("digits:int8", "int8", 1),
        ("digits:1", "int8", 1),
        ("ee" * 32, "int8", 1),
        ("#1", "fp32", None),
    ],
)
def test_each_kind_of_name(
    registry: Registry, text: str, variant: str, version: int | None
) -> None:
    found = find_subject(registry, text).subject
    assert found.variant == variant
    assert found.version == version


def test_a_file_is_found_by_its_content(registry: Registry, tmp_path: Path) -> None:
    again = tmp_path / "again.onnx"
    again.write_bytes(b"float")
    assert find_subject(registry, str(again)).variant.name == "fp32"
    again.write_bytes(b"other")
    with pytest.raises(UsageError, match=r"again\.onnx is not in the registry"):
        find_subject(registry, str(again))


def test_a_target_that_serves_nothing(registry: Registry) -> None:
    with pytest.raises(UsageError, match="local serves no model"):
        find_subject(registry, "local")


@pytest.mark.parametrize("text", ["nothing", "digits:int4", "digits:7", "digits@stable", ""])
def test_an_unknown_name_is_one_sentence(registry: Registry, text: str) -> None:
    with pytest.raises(UsageError):
        find_subject(registry, text)
