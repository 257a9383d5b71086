"""Language models from GGUF to safetensors and back, and what is refused on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import numpy
import pytest

from studio.api import InvalidModel, Silent, StudioError
from studio_language.conversion import rope
from studio_language.conversion.float_tensors import require_room
from studio_language.conversion.gguf_file import rounded
from studio_language.conversion.to_gguf import GgufWriter
from studio_language.conversion.to_safetensors import SafetensorsWriter
from studio_language.safetensors.content import load
from tests.plugins import gguf_files
from tests.plugins.language_folders import folder, raw, save, shapes
from tests.rigs.tiny_language import tiny_language_model

BYTES = {
    "type": "ByteLevel",
    "add_prefix_space": False,
    "trim_offsets": True,
    "use_regex": True,
}


def to_folder(source: Path, out: Path, precision: str = "fp32") -> Path:
    SafetensorsWriter().convert(source, out, {}, out.parent, Silent(), {"precision": precision})
    return out


def to_gguf(source: Path, out: Path, precision: str = "fp32") -> Path:
    entry = source / "model.safetensors"
    GgufWriter().convert(entry, out, {}, out.parent, Silent(), {"precision": precision})
    return out


def with_tokenizer(path: Path, **changed: Any) -> Path:
    """Give a folder a tokenizer of 20 words, such as its table of tokens has."""
    vocabulary = {chr(97 + number): number for number in range(18)} | {"ab": 18}
    tokenizer = {
        "model": {"type": "BPE", "vocab": vocabulary, "merges": [["a", "b"]]},
        "pre_tokenizer": BYTES,
        "normalizer": None,
        "added_tokens": [{"id": 19, "content": "<end>", "special": True}],
        "post_processor": BYTES,
        **changed,
    }
    (path / "tokenizer.json").write_text(json.dumps(tokenizer))
    config = json.loads((path / "config.json").read_text())
    config |= {"intermediate_size": 48, "rms_norm_eps": 1e-5, "tie_word_embeddings": True}
    (path / "config.json").write_text(json.dumps(config))
    return path


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder that can be converted."""
    return with_tokenizer(folder(tmp_path / "model"))


def values(path: Path) -> dict[str, Any]:
    """Return the tensors of a GGUF file as float32."""
    return {
        one.name: gguf.dequantize(one.data, one.tensor_type)
        for one in gguf.GGUFReader(path).tensors
    }


def metadata(path: Path) -> dict[str, Any]:
    fields = gguf.GGUFReader(path).fields
    return {name: field.contents() for name, field in fields.items()}


def test_a_file_that_came_from_gguf_goes_back_as_it_was(tmp_path: Path) -> None:
    source = tiny_language_model(tmp_path / "tiny.gguf")
    back = to_gguf(to_folder(source, tmp_path / "out"), tmp_path / "back.gguf")
    before, after = values(source), values(back)
    assert before.keys() == after.keys()
    for name, one in before.items():
        numpy.testing.assert_array_equal(one, after[name])


def test_the_settings_come_back(tmp_path: Path) -> None:
    source = tiny_language_model(tmp_path / "tiny.gguf")
    back = to_gguf(to_folder(source, tmp_path / "out"), tmp_path / "back.gguf")
    before, after = metadata(source), metadata(back)
    rest = ("GGUF.", "general.", "tokenizer.ggml.scores")
    for name, value in before.items():
        if not name.startswith(rest):
            assert after[name] == value, name


def test_rows_of_queries_are_in_the_order_of_transformers(tmp_path: Path) -> None:
    source = tiny_language_model(tmp_path / "tiny.gguf")
    out = to_folder(source, tmp_path / "out")
    saved = load((out / "model.safetensors",))
    one = saved["model.layers.0.self_attn.q_proj.weight"]
    data = numpy.fromfile(one.file, "<f4", 64 * 64, offset=one.offset).reshape(64, 64)
    stored = values(source)["blk.0.attn_q.weight"]
    # A head has 16 rows: llama.cpp's neighbours 0 and 1 are the rows 0 and 8 of transformers.
    numpy.testing.assert_array_equal(data[0], stored[0])
    numpy.testing.assert_array_equal(data[8], stored[1])


@pytest.mark.parametrize(("precision", "limit"), [("fp16", 1e-3), ("int8", 5e-3)])
def test_smaller_numbers_are_close(
    model: Path, tmp_path: Path, precision: str, limit: float
) -> None:
    exact = values(to_gguf(model, tmp_path / "exact.gguf"))
    found = values(to_gguf(model, tmp_path / "small.gguf", precision))
    for name, one in exact.items():
        assert numpy.abs(one - found[name]).max() <= limit * numpy.abs(one).max(), name


def test_blocks_of_8_bits_are_those_of_llama_cpp() -> None:
    numbers = numpy.random.default_rng(3).normal(size=(40, 32)).astype(numpy.float32)
    numbers[0] = 0
    wanted = gguf.quantize(numbers, gguf.GGMLQuantizationType.Q8_0)
    numpy.testing.assert_array_equal(rounded(numbers), wanted.reshape(40, -1))


def test_numbers_beyond_float16_stay_float32(model: Path, tmp_path: Path) -> None:
    tensors = dict(shapes(2))
    path = save(model / "model.safetensors", tensors)
    content = bytearray(path.read_bytes())
    one = load((path,))["model.embed_tokens.weight"]
    content[one.offset : one.offset + 4] = numpy.float32(1e6).tobytes()
    path.write_bytes(content)
    made = gguf.GGUFReader(to_gguf(model, tmp_path / "out.gguf", "fp16"))
    kinds = {one.name: one.tensor_type.name for one in made.tensors}
    assert kinds["token_embd.weight"] == "F32"
    assert kinds["blk.0.attn_q.weight"] == "F16"


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"model_type": "mamba"}, "'mamba' are not written as GGUF"),
        ({"model_type": None}, "not written as GGUF"),
        ({"hidden_size": "64"}, "no number hidden_size"),
        ({"num_hidden_layers": 10**12}, "no number num_hidden_layers"),
        ({"num_hidden_layers": 3}, "are missing"),
        ({"rope_scaling": {"type": "yarn"}}, "Positions of the kind 'yarn'"),
        ({"num_attention_heads": 3, "head_dim": 7}, "other than its heads"),
    ],
)
def test_settings_that_do_not_fit_are_one_sentence(
    config: dict[str, Any], sentence: str, model: Path, tmp_path: Path
) -> None:
    known = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps(known | config))
    with pytest.raises(InvalidModel, match=sentence):
        to_gguf(model, tmp_path / "out.gguf")
    assert not (tmp_path / "out.gguf").exists()


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"model": {"type": "WordPiece"}}, "kind 'WordPiece'"),
        ({"model": None}, "no tokenizer.json"),
        ({"pre_tokenizer": {"type": "Whitespace"}}, "no name in llama.cpp"),
        ({"pre_tokenizer": None}, "no name in llama.cpp"),
        ({"normalizer": {"type": "Lowercase"}}, "no name in llama.cpp"),
        ({"added_tokens": [{"id": 20, "content": "x"}]}, "has the token 20, and the model has 20"),
        ({"added_tokens": [{"content": "x"}]}, "has the token -1"),
        ({"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a"]}}, "merges that cannot"),
    ],
)
def test_tokenizers_that_do_not_fit_are_one_sentence(
    changed: dict[str, Any], sentence: str, model: Path, tmp_path: Path
) -> None:
    with_tokenizer(model, **changed)
    with pytest.raises(InvalidModel, match=sentence):
        to_gguf(model, tmp_path / "out.gguf")


def test_a_folder_without_a_tokenizer_is_refused(model: Path, tmp_path: Path) -> None:
    (model / "tokenizer.json").unlink()
    with pytest.raises(InvalidModel, match=r"has no tokenizer\.json"):
        to_gguf(model, tmp_path / "out.gguf")


def test_a_tensor_of_other_models_is_refused(model: Path, tmp_path: Path) -> None:
    save(model / "model.safetensors", {**shapes(2), "model.layers.0.mlp.experts.0.weight": (4, 4)})
    with pytest.raises(InvalidModel, match="is none of a Llama model"):
        to_gguf(model, tmp_path / "out.gguf")


def test_packed_integers_are_refused(model: Path, tmp_path: Path) -> None:
    head, at = {}, 0
    for name, shape in shapes(2).items():
        count = int(numpy.prod(shape))
        head[name] = {"dtype": "I8", "shape": list(shape), "data_offsets": [at, at + count]}
        at += count
    raw(model / "model.safetensors", head, bytes(at))
    with pytest.raises(InvalidModel, match="the model is quantized"):
        to_gguf(model, tmp_path / "out.gguf")


def test_what_is_cut_off_leaves_an_error(model: Path, tmp_path: Path) -> None:
    path = model / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InvalidModel):
        to_gguf(model, tmp_path / "out.gguf")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"architecture": "mamba"}, "'mamba' are not written as safetensors"),
        ({"tokenizer": False}, "no tokenizer"),
        ({"renamed": {"blk.0.ffn_up.weight": "blk.0.ssm.weight"}}, "is none of a Llama model"),
    ],
)
def test_files_that_do_not_fit_are_one_sentence(
    options: dict[str, Any], sentence: str, tmp_path: Path
) -> None:
    source = gguf_files.llama(tmp_path / "m.gguf", **options)
    with pytest.raises(InvalidModel, match=sentence):
        to_folder(source, tmp_path / "out")


def test_a_size_that_is_missing_is_named(tmp_path: Path) -> None:
    source = gguf_files.llama(tmp_path / "m.gguf")
    with pytest.raises(InvalidModel, match=r"llama\.feed_forward_length"):
        to_folder(source, tmp_path / "out")


@pytest.mark.parametrize("kind", ["default", "linear", "llama3"])
def test_positions_come_back(kind: str) -> None:
    wanted = {"rope_type": kind, "rope_theta": 500_000.0}
    if kind != "default":
        wanted["factor"] = 8.0
    if kind == "llama3":
        wanted |= {"low_freq_factor": 1.0, "high_freq_factor": 4.0}
        wanted["original_max_position_embeddings"] = 8192
    keys = rope.metadata_of(wanted, "llama")
    scaling = str(keys.get("llama.rope.scaling.type", ""))
    factor = float(keys.get("llama.rope.scaling.factor", 1.0))
    assert rope.of_gguf(500_000.0, scaling, factor, rope.factors(wanted, 64)) == wanted


def test_frequencies_of_an_unknown_rule_are_refused() -> None:
    with pytest.raises(InvalidModel, match="a rule that is not known"):
        rope.of_gguf(1e4, "", 1.0, numpy.linspace(1, 9, 32).astype(numpy.float32))


def test_a_full_disk_is_noticed_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="MB are free"):
        require_room(tmp_path, 1 << 60)
