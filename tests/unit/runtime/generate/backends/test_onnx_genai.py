"""Configurations of onnxruntime-genai are read before the library sees them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.runtime.generate.backends.onnx_genai import _read_config
from studio.runtime.shared.errors import LoadError

DECODER = {"filename": "model.onnx", "num_hidden_layers": 2, "session_options": {"log_id": "x"}}


def written(folder: Path, decoder: object, **model: object) -> Path:
    content = {"model": {"type": "llama", "decoder": decoder, **model}}
    (folder / "genai_config.json").write_text(json.dumps(content))
    return folder / "model.onnx"


def test_a_decoder_of_text_is_taken(tmp_path: Path) -> None:
    assert _read_config(written(tmp_path, DECODER))["decoder"] == DECODER


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"session_options": {"custom_ops_library": "/x.so"}}, "not taken: custom_ops_library."),
        ({"session_options": {"session.load": "1"}}, "not taken: session.load."),
        ({"run_options": {}}, "not taken: run_options."),
        ({"pipeline": []}, "not taken: pipeline."),
        ({"filename": "../model.onnx"}, "names another file than model.onnx."),
        ({"filename": None}, "names another file than model.onnx."),
    ],
)
def test_a_configuration_that_reaches_out(
    tmp_path: Path, change: dict[str, object], words: str
) -> None:
    path = written(tmp_path, {**DECODER, **change})
    with pytest.raises(LoadError) as found:
        _read_config(path)
    assert str(found.value).endswith(words)


@pytest.mark.parametrize("part", ["vision", "speech", "encoder", "embedding"])
def test_more_than_a_decoder_is_a_sentence(tmp_path: Path, part: str) -> None:
    path = written(tmp_path, DECODER, **{part: {}})
    with pytest.raises(LoadError, match=rf"is more than a decoder of text: it has a part '{part}'"):
        _read_config(path)


@pytest.mark.parametrize("decoder", [None, [], "text"])
def test_a_configuration_without_a_decoder(tmp_path: Path, decoder: object) -> None:
    with pytest.raises(LoadError, match=r"describes no decoder of text\.$"):
        _read_config(written(tmp_path, decoder))


def test_session_options_that_are_no_table(tmp_path: Path) -> None:
    path = written(tmp_path, {**DECODER, "session_options": "custom_ops_library"})
    with pytest.raises(LoadError, match=r"not taken"):
        _read_config(path)


def test_a_missing_configuration(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"lacks genai_config\.json\.$"):
        _read_config(tmp_path / "model.onnx")
