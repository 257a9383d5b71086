"""Folders of language models: the file to open, what belongs to it, and its facts.

Read are the layouts of Hugging Face transformers (``config.json``), of onnxruntime-genai
(``genai_config.json``) and of OpenVINO GenAI (``openvino_model.xml`` with ``config.json``). All of
it comes from strangers: files are bounded and never left, and a template is text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from studio.api import LanguageModel, Model
from studio.models.language.encoder_files import encoder_files

CONFIG, GENAI = "config.json", "genai_config.json"
INDEX, WEIGHTS = "model.safetensors.index.json", "model.safetensors"

_OPENVINO = ("openvino_model.xml", "openvino_language_model.xml")
_COMPANIONS = (
    *(CONFIG, GENAI, "generation_config.json", "tokenizer.json", "tokenizer_config.json"),
    *("tokenizer.model", "special_tokens_map.json", "added_tokens.json", "vocab.json"),
    *("merges.txt", "chat_template.jinja", "chat_template.json"),
    *("openvino_tokenizer.xml", "openvino_tokenizer.bin"),
    *("openvino_detokenizer.xml", "openvino_detokenizer.bin"),
)
_MOST_JSON = 16 << 20
_LONGEST_TEMPLATE = 64 << 10
_MOST_NUMBER = 1 << 31
_CAUSAL = re.compile(r"\w+(?:ForCausalLM|LMHeadModel)")
_WITH_TEXT = "ForConditionalGeneration"
"""Of models with a part that writes text, where the configuration has one for it."""


Settings = Mapping[str, object]


def opens(folder: Path) -> bool:
    """Return whether the configuration of a folder names a model that generates text."""
    if (folder / GENAI).is_file():
        return True
    config = _settings(folder / CONFIG)
    names = config.get("architectures")
    texts = [one for one in names if isinstance(one, str)] if isinstance(names, list) else []
    with_text = "text_config" in config and any(one.endswith(_WITH_TEXT) for one in texts)
    return with_text or any(_CAUSAL.fullmatch(one) for one in texts)


def entry_file(path: Path) -> Path:
    """Return the file to open of a folder of a language model; any other path as it is."""
    if not path.is_dir() or not opens(path):
        return path
    decoder = _part(_part(_settings(path / GENAI), "model"), "decoder").get("filename")
    named = (decoder,) if isinstance(decoder, str) and Path(decoder).name == decoder else ()
    names = (*named, *_OPENVINO, WEIGHTS, INDEX)
    return next((path / name for name in names if (path / name).is_file()), path)


def companions(path: Path) -> tuple[Path, ...]:
    """Return the files next to a model of texts that running it needs: tokenizer, template."""
    folder = path.parent
    if not opens(folder):
        return tuple(one for one in encoder_files(path) if _stays(one, folder))
    found = (folder / name for name in _COMPANIONS)
    return tuple(one for one in found if one.is_file() and _stays(one, folder))


def _stays(file: Path, folder: Path) -> bool:
    """Whether a file is in its folder, or in the store of a cache that links to it."""
    real, home = file.resolve(), folder.resolve()
    if real.is_relative_to(home):
        return True
    return home.parent.name == "snapshots" and real.is_relative_to(home.parent.parent / "blobs")


def with_facts(model: Model, path: Path) -> Model:
    """Return a model with the facts in the files next to it, unless it has its own."""
    facts = model.language or language_facts(path)
    return model if facts is model.language else replace(model, language=facts)


def language_facts(path: Path) -> LanguageModel | None:
    """Return the facts in the files next to a model; None where there are none."""
    folder = path.parent
    if not opens(folder):
        return None
    genai = _part(_settings(folder / GENAI), "model")
    known = _of_genai(genai) if genai else _of_transformers(_settings(folder / CONFIG))
    tokenizer = _settings(folder / "tokenizer_config.json")
    template = _template(folder, tokenizer)
    return replace(known, tokenizer=_text(tokenizer, "tokenizer_class"), chat_template=template)


def _of_genai(model: Settings) -> LanguageModel:
    """Return the facts in a configuration of onnxruntime-genai."""
    decoder = _part(model, "decoder")
    heads, size = _number(decoder, "num_attention_heads"), _number(decoder, "head_size")
    return LanguageModel(
        _text(model, "type") or "unknown",
        layers=_number(decoder, "num_hidden_layers"),
        heads=heads,
        kv_heads=_number(decoder, "num_key_value_heads") or heads,
        key_size=size,
        value_size=size,
        width=_number(decoder, "hidden_size"),
        vocabulary=_number(model, "vocab_size"),
        context=_number(model, "context_length"),
    )


def _of_transformers(config: Settings) -> LanguageModel:
    """Return the facts in a configuration, of a model with pictures those of its text."""
    text = _part(config, "text_config") or config
    heads = _number(text, "num_attention_heads", "n_head")
    width = _number(text, "hidden_size", "n_embd")
    size = _number(text, "head_dim") or (width // heads if width and heads else None)
    return LanguageModel(
        _text(text, "model_type") or _text(config, "model_type") or "unknown",
        layers=_number(text, "num_hidden_layers", "n_layer"),
        heads=heads,
        kv_heads=_number(text, "num_key_value_heads") or heads,
        key_size=size,
        value_size=size,
        width=width,
        vocabulary=_number(text, "vocab_size"),
        context=_number(text, "max_position_embeddings", "n_positions"),
    )


def _template(folder: Path, tokenizer: Settings) -> str:
    try:
        with (folder / "chat_template.jinja").open(encoding="utf-8", errors="replace") as file:
            return file.read(_LONGEST_TEMPLATE)
    except OSError:
        pass
    found = tokenizer.get("chat_template")
    if isinstance(found, list):  # several by name
        named = [one for one in found if isinstance(one, dict)]
        found = next((one.get("template") for one in named if one.get("name") == "default"), "")
    return found[:_LONGEST_TEMPLATE] if isinstance(found, str) else ""


def _settings(path: Path) -> Settings:
    """Return a JSON object; empty where it is missing, too large or damaged."""
    try:
        if not path.is_file() or path.stat().st_size > _MOST_JSON:
            return {}
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _part(settings: Settings, key: str) -> Settings:
    found = settings.get(key)
    return found if isinstance(found, dict) else {}


def _text(settings: Settings, key: str) -> str:
    found = settings.get(key)
    return found[:100] if isinstance(found, str) and found.isprintable() else ""


def _number(settings: Settings, *keys: str) -> int | None:
    for key in keys:
        found = settings.get(key)
        if isinstance(found, int) and not isinstance(found, bool) and 0 < found < _MOST_NUMBER:
            return found
    return None
