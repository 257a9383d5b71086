"""Kinds of models: who opens a folder, what a stage gets, and what features add."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.api import UsageError
from studio.models import kinds
from studio.models.language.kind import LANGUAGE
from studio.registry import ModelRef

SPEECH = kinds.ModelKind(
    "speech models", formats=("tape",), module=LANGUAGE.module, profile="json:dumps"
)
"""A kind that a feature brings."""


def stored(path: Path, form: str) -> ModelRef:
    return ModelRef(str(path), "0" * 64, 1, 1, "name", "fp32", form, "fp32")


def own(value: object) -> str:
    return f"own {value}"


@pytest.fixture
def with_speech(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The table, with a feature that has a kind."""
    monkeypatch.setattr(kinds._ADDED, "added", lambda: (SPEECH,))
    kinds.kinds.cache_clear()
    yield
    kinds.kinds.cache_clear()


def test_a_model_is_of_the_kind_of_its_format_or_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    assert kinds.kind_of(stored(path, "onnx")) is kinds.TENSORS
    assert kinds.kind_of(stored(path, "gguf")) is LANGUAGE
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["TinyForCausalLM"]}))
    assert kinds.kind_of(stored(path, "onnx")) is LANGUAGE


def test_tensor_models_get_the_core_s_own_function() -> None:
    assert kinds.TENSORS.stage("profile", own) is own


@pytest.mark.usefixtures("with_speech")
def test_a_feature_adds_a_kind_which_takes_part_in_the_stages_that_it_names(
    tmp_path: Path,
) -> None:
    kind = kinds.kind_of(stored(tmp_path / "a.tape", "tape"))
    assert kind == SPEECH
    assert kind.stage("profile", own)("x") == '"x"'
    with pytest.raises(UsageError, match=r"^Edgewright cannot package speech models\.$"):
        kind.stage("package", own)


def test_the_functions_that_kinds_name_exist() -> None:
    for kind in kinds.kinds():
        assert callable(kind.stage("evaluate", own))
        assert callable(kind.stage("profile", own))
        assert callable(kind.stage("package", own))
