"""GGUF files as graphs, from what llama.cpp's own writer has written."""

from __future__ import annotations

import contextlib
import struct
from collections import Counter
from pathlib import Path

import gguf
import numpy
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.api import InvalidModel, Limits, Model, Silent, StudioError, UnsafeModel, UsageError
from studio.api.testing import check_format
from studio.models.layout.graph_writer import write_graph
from studio.models.opening import read_model
from studio.models.results import LanguageFacts
from studio_language.gguf.content import load
from studio_language.gguf.format import GgufFormat
from studio_language.tensor_types import GGML_TYPES
from tests.plugins.gguf_files import HEADS, KV_HEADS, TEMPLATE, WIDTH, WORDS, llama, tensors


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return llama(tmp_path / "tiny.gguf")


def read(path: Path) -> Model:
    known = GgufFormat()
    known.intake(path, Limits())
    return known.read(path, Silent())


def refused(path: Path, error: type[StudioError] = InvalidModel) -> str:
    with pytest.raises(error) as caught:
        GgufFormat().intake(path, Limits())
    assert type(caught.value) is error
    assert "\n" not in caught.value.message
    return caught.value.message


def changed(path: Path, at: int, form: str, value: int) -> Path:
    data = bytearray(path.read_bytes())
    struct.pack_into(form, data, at, value)
    path.write_bytes(data)
    return path


def test_conforms(tiny: Path, tmp_path: Path) -> None:
    check_format(GgufFormat(), tmp_path, tiny)


def test_sizes_of_blocks_are_those_of_llama_cpp() -> None:
    theirs = {int(kind): size for kind, size in gguf.GGML_QUANT_SIZES.items()}
    ours = {number: (kind.values, kind.bytes) for number, kind in GGML_TYPES.items()}
    assert ours == {number: theirs[number] for number in ours}


def test_the_decoder_is_a_graph(tiny: Path) -> None:
    graph = read(tiny).graph
    layer = [node.operator for node in graph.nodes if node.name.startswith("layers.1.")]
    assert layer == [
        *("RMSNormalization", "MatMul", "MatMul", "MatMul", "GroupQueryAttention", "MatMul"),
        *("Add", "RMSNormalization", "MatMul", "MatMul", "SwiGLU", "MatMul", "Add"),
    ]
    assert graph.outputs[0].name == "logits"
    assert graph.values["logits"].shape == (1, "sequence", WORDS)


def test_every_tensor_is_read_by_a_node(tiny: Path) -> None:
    graph = read(tiny).graph
    used = {name for node in graph.nodes for name in node.inputs}
    assert set(graph.initializers) <= used
    assert set(graph.initializers) == set(tensors(2))


def test_a_layer_of_another_architecture_is_one_node(tmp_path: Path) -> None:
    names = {f"blk.0.{old}.weight": f"blk.0.{new}.weight" for old, new in (("attn_q", "ssm_in"),)}
    graph = read(llama(tmp_path / "other.gguf", architecture="other", renamed=names)).graph
    counts = Counter(node.operator for node in graph.nodes)
    assert counts["Layer"] == 1
    assert counts["GroupQueryAttention"] == 1


def test_facts(tiny: Path) -> None:
    figures = read_model(tiny).figures()
    size = WIDTH // HEADS
    assert figures.language == LanguageFacts(
        architecture="llama",
        layers=2,
        heads=HEADS,
        kv_heads=KV_HEADS,
        width=WIDTH,
        vocabulary=WORDS,
        context=512,
        tokenizer="BPE",
        chat_template=TEMPLATE,
        cache_bytes=2 * KV_HEADS * 2 * size * 2,
        precisions={
            "q4_0": sum(one.size for one in tensors(2).values() if one.ndim > 1),
            "fp32": 5 * WIDTH,
        },
    )
    assert figures.precision == "q4_0"
    assert figures.quantized
    assert figures.licence == "mit"
    assert figures.parameters == sum(one.size for one in tensors(2).values())


def test_work_grows_with_the_text(tiny: Path) -> None:
    short = read_model(tiny, shapes={"tokens": (1, 16)}).figures().macs
    long = read_model(tiny, shapes={"tokens": (1, 32)}).figures().macs
    assert short is not None
    assert long is not None
    matrices = sum(one.size for name, one in tensors(2).items() if one.ndim > 1)
    assert short == 16 * matrices + 2 * 2 * 16 * 16 * WIDTH
    assert long == 32 * matrices + 2 * 2 * 32 * 32 * WIDTH


def test_blocks_fold_by_layers(tiny: Path, tmp_path: Path) -> None:
    opened = read_model(tiny)
    assert write_graph(opened, tmp_path, Silent()).stat().st_size > 0


@pytest.mark.parametrize("name", ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "F16", "F32", "BF16"])
def test_values_are_those_of_llama_cpp(name: str, tmp_path: Path) -> None:
    kind = gguf.GGMLQuantizationType[name]
    path = llama(tmp_path / "one.gguf", layers=1, kind=kind)
    wanted = gguf.dequantize(gguf.quantize(tensors(1)["blk.0.ffn_up.weight"], kind), kind)
    found = GgufFormat().constant(path, "blk.0.ffn_up.weight", 1 << 30)
    numpy.testing.assert_array_equal(found, wanted.reshape(-1))


_SCALES = {"Q6_K": (208,), "Q3_K": (108,), "Q2_K": (80, 82), "IQ4_NL": (0,), "IQ4_XS": (0,)}
"""Places of the float16 numbers of a block; of other types 0 and 2."""


@pytest.mark.parametrize("name", ["Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS"])
def test_values_of_large_blocks(name: str) -> None:
    from studio_language.gguf.values import read_values

    kind = gguf.GGMLQuantizationType[name]
    values, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = numpy.random.default_rng(2).integers(0, 256, (16, size)).astype(numpy.uint8)
    scales = numpy.full((16, 1), 0.25, numpy.float16).view(numpy.uint8)
    for at in _SCALES.get(name, (0, 2)):
        blocks[:, at : at + 2] = scales
    found = read_values("x", GGML_TYPES[int(kind)], blocks.tobytes())
    numpy.testing.assert_array_equal(found, gguf.dequantize(blocks, kind).reshape(-1))
    assert len(found) == 16 * values


def test_few_bytes_are_read_of_a_large_tensor(tiny: Path) -> None:
    assert len(GgufFormat().constant(tiny, "token_embd.weight", 40)) == 2 * 32


def test_no_such_tensor(tiny: Path) -> None:
    with pytest.raises(UsageError, match="no constant 'x'"):
        GgufFormat().constant(tiny, "x", 10)


def test_a_file_without_tokenizer_is_said(tmp_path: Path) -> None:
    path = llama(tmp_path / "bare.gguf", tokenizer=False)
    findings = GgufFormat().intake(path, Limits()).findings
    assert [one.code for one in findings] == ["no-tokenizer"]


def test_huge_counts_are_refused(tiny: Path) -> None:
    message = refused(changed(tiny, 8, "<Q", 2**62), UnsafeModel)
    assert message == (
        "tiny.gguf has 4,611,686,018,427,387,904 tensors, and at most 200,000 are read."
    )


def test_a_huge_text_is_refused(tiny: Path) -> None:
    assert "a text of" in refused(changed(tiny, 24, "<Q", 2**40), UnsafeModel)


def test_another_version_is_named(tiny: Path) -> None:
    assert "of version 9" in refused(changed(tiny, 4, "<I", 9))


def test_big_endian_is_named(tiny: Path) -> None:
    assert "big-endian" in refused(changed(tiny, 4, ">I", 3))


def test_weights_beyond_the_end_are_refused(tiny: Path) -> None:
    tiny.write_bytes(tiny.read_bytes()[:-64])
    assert "is not within the file" in refused(tiny)


def test_a_head_that_ends_early_is_refused(tiny: Path) -> None:
    tiny.write_bytes(tiny.read_bytes()[:100])
    assert refused(tiny) == "tiny.gguf ends within its own head."


def test_an_unknown_type_is_named(tiny: Path) -> None:
    head = tiny.read_bytes()
    at = head.index(b"token_embd.weight") + len(b"token_embd.weight") + 4 + 2 * 8
    assert "has the type 99" in refused(changed(tiny, at, "<I", 99))


def test_names_are_short_lines_of_printable_characters(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "x.gguf", "\x1b[31mllama\n" + "x" * 10_000)
    writer.add_license("mit\x07" * 1000)
    writer.add_tensor("token_embd.weight", numpy.zeros((4, 8), numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    figures = read_model(tmp_path / "x.gguf").figures()
    assert figures.language is not None
    for text in (figures.language.architecture, figures.licence):
        assert text.isprintable()
        assert len(text) <= 200


def test_two_tensors_of_one_name_are_refused(tiny: Path) -> None:
    data = tiny.read_bytes().replace(b"blk.1.ffn_up.weight", b"blk.0.ffn_up.weight")
    tiny.write_bytes(data)
    assert refused(tiny) == "tiny.gguf has two tensors of one name."


def test_a_template_is_only_text(tmp_path: Path) -> None:
    # What a template may do is never tried: it is copied as it is.
    found = load(llama(tmp_path / "x.gguf")).text("tokenizer.chat_template")
    assert found == TEMPLATE


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(place=st.integers(0, 1500), value=st.integers(0, 255), cut=st.integers(0, 4000))
def test_any_damage_ends_in_a_sentence(tiny: Path, place: int, value: int, cut: int) -> None:
    data = bytearray(llama_bytes(tiny))
    data[place] = value
    path = tiny.with_name("damaged.gguf")
    path.write_bytes(data[: len(data) - cut if cut > 3000 else None])
    with contextlib.suppress(StudioError):
        read(path)


_BYTES: dict[str, bytes] = {}


def llama_bytes(path: Path) -> bytes:
    """Return the untouched file, which is the same for all examples."""
    return _BYTES.setdefault("tiny", path.read_bytes())
