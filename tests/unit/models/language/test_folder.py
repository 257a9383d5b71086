"""Folders of language models: what is opened, what belongs to it, what is known of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.api import LanguageModel
from studio.models.language.folder import companions, entry_file, language_facts

GENAI = {
    "model": {
        "type": "phi3",
        "context_length": 4096,
        "vocab_size": 32064,
        "decoder": {
            "filename": "phi.onnx",
            "head_size": 96,
            "hidden_size": 3072,
            "num_attention_heads": 32,
            "num_hidden_layers": 32,
            "num_key_value_heads": 8,
        },
    }
}


def write(folder: Path, **files: object) -> Path:
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def test_the_file_that_genai_names(tmp_path: Path) -> None:
    (write(tmp_path, genai_config=GENAI) / "phi.onnx").touch()
    assert entry_file(tmp_path) == tmp_path / "phi.onnx"


def test_facts_of_genai(tmp_path: Path) -> None:
    found = language_facts(write(tmp_path, genai_config=GENAI) / "phi.onnx")
    assert found == LanguageModel(
        "phi3",
        layers=32,
        heads=32,
        kv_heads=8,
        key_size=96,
        value_size=96,
        width=3072,
        vocabulary=32064,
        context=4096,
    )
    assert found.cache_bytes() == 2 * 32 * 8 * 96 * 2
    assert found.cache_bytes(1) == 32 * 8 * 96 * 2


def test_openvino_genai(tmp_path: Path) -> None:
    write(tmp_path, config={"architectures": ["LlamaForCausalLM"], "num_hidden_layers": 2})
    (tmp_path / "openvino_model.xml").touch()
    (tmp_path / "openvino_tokenizer.xml").touch()
    assert entry_file(tmp_path).name == "openvino_model.xml"
    assert tmp_path / "openvino_tokenizer.xml" in companions(tmp_path / "openvino_model.xml")


def test_the_text_of_a_model_with_pictures(tmp_path: Path) -> None:
    text = {"model_type": "llama", "num_hidden_layers": 3}
    config = {"architectures": ["LlavaForConditionalGeneration"], "text_config": text}
    found = language_facts(write(tmp_path, config=config) / "model.safetensors")
    assert found == LanguageModel("llama", layers=3)


@pytest.mark.parametrize("name", ["../x.onnx", "/x.onnx", "a/x.onnx", 7, None])
def test_genai_names_only_files_of_its_folder(name: object, tmp_path: Path) -> None:
    (tmp_path / "x.onnx").touch()
    inner = tmp_path / "inner"
    inner.mkdir()
    write(inner, genai_config={"model": {"decoder": {"filename": name}}})
    assert entry_file(inner) == inner


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, '{"model": []}', '{"model": 3}'])
def test_a_damaged_configuration_is_as_good_as_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "genai_config.json").write_text(text)
    (tmp_path / "config.json").write_text(text)
    assert entry_file(tmp_path) == tmp_path
    found = language_facts(tmp_path / "model.onnx")
    assert found in (None, LanguageModel("unknown"))


@pytest.mark.parametrize("value", [-1, 2**40, True, "8", [], 1.5])
def test_a_number_that_is_none_is_not_known(value: object, tmp_path: Path) -> None:
    config = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "n_layer": value}
    found = language_facts(write(tmp_path, config=config) / "model.safetensors")
    assert found == LanguageModel("gpt2")


def test_a_template_in_a_file_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, config={"architectures": ["XForCausalLM"]})
    (tmp_path / "chat_template.jinja").write_text("{{ x }}" * 20_000)
    found = language_facts(tmp_path / "model.safetensors")
    assert found is not None
    assert len(found.chat_template) == 64 << 10


def test_the_default_of_several_templates(tmp_path: Path) -> None:
    several = [{"name": "tools", "template": "a"}, {"name": "default", "template": "b"}]
    write(tmp_path, config={"architectures": ["XForCausalLM"]})
    write(tmp_path, tokenizer_config={"chat_template": several})
    found = language_facts(tmp_path / "model.safetensors")
    assert found is not None
    assert found.chat_template == "b"


def test_other_models_have_none(tmp_path: Path) -> None:
    write(tmp_path, config={"architectures": ["ViTForImageClassification"]})
    assert language_facts(tmp_path / "model.onnx") is None
    assert companions(tmp_path / "model.onnx") == ()
