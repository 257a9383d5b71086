"""GGUF models as parts by layer: nothing is lost, and a changed layer changes one file."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy
import pytest

from studio.packages.gguf_parts import FOLDER, write_parts
from studio.runtime.generate.model_parts import list_file, parts_of
from studio.runtime.shared.errors import LoadError

LAYERS = 3


def make(path: Path, seeds: dict[int, int] | None = None, alignment: int = 32) -> Path:
    """Write a small model; a layer's values follow from its seed."""
    writer = gguf.GGUFWriter(path, "llama")
    if alignment != 32:
        writer.add_custom_alignment(alignment)
    writer.add_block_count(LAYERS)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(["a", "b", "ü" * 40])
    writer.add_token_types([1, 1, 3])
    writer.add_add_bos_token(False)
    writer.add_tensor("token_embd.weight", numpy.ones((5000, 64), numpy.float32))
    for layer in range(LAYERS):
        chance = numpy.random.default_rng((seeds or {}).get(layer, layer))
        for name in ("attn_q", "ffn_up"):
            values = chance.normal(size=(33, 7)).astype(numpy.float32)
            writer.add_tensor(f"blk.{layer}.{name}.weight", values)
    writer.add_tensor("output_norm.weight", numpy.ones(64, numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def tensors(paths: list[Path]) -> dict[str, numpy.ndarray]:
    """Return the tensors of several files by name."""
    found = {}
    for path in paths:
        for tensor in gguf.GGUFReader(path).tensors:
            assert tensor.name not in found
            found[tensor.name] = numpy.array(tensor.data)
    return found


@pytest.mark.parametrize("alignment", [32, 64])
def test_the_parts_are_the_model(tmp_path: Path, alignment: int) -> None:
    source = make(tmp_path / "source.gguf", alignment=alignment)
    folder = tmp_path / "bundle"
    folder.mkdir()
    assert write_parts(source, folder, "model.gguf")
    paths = parts_of(folder / "model.gguf")
    assert len(paths) == 1 + 1 + LAYERS
    whole, split = tensors([source]), tensors(paths)
    assert whole.keys() == split.keys()
    assert all(numpy.array_equal(whole[name], split[name]) for name in whole)
    for number, path in enumerate(paths):
        fields = gguf.GGUFReader(path).fields
        assert fields["split.no"].parts[-1][0] == number
        assert fields["split.count"].parts[-1][0] == len(paths)
        assert fields["split.tensors.count"].parts[-1][0] == len(whole)


def test_the_first_part_has_the_metadata(tmp_path: Path) -> None:
    source = make(tmp_path / "source.gguf")
    folder = tmp_path / "bundle"
    folder.mkdir()
    write_parts(source, folder, "model.gguf")
    before = gguf.GGUFReader(source).fields
    after = gguf.GGUFReader(folder / "model.gguf").fields
    kept = {name for name in before if not name.startswith(("GGUF.", "split."))}
    assert kept <= set(after)
    assert all(before[name].contents() == after[name].contents() for name in kept)


def test_a_changed_layer_changes_one_file(tmp_path: Path) -> None:
    names = []
    for number, seeds in enumerate(({}, {1: 99})):
        folder = tmp_path / str(number)
        folder.mkdir()
        write_parts(make(tmp_path / f"{number}.gguf", seeds), folder, "model.gguf")
        names.append({path.name for path in (folder / FOLDER).iterdir()})
        names.append({(folder / "model.gguf").read_bytes()})
    assert len(names[0] & names[2]) == len(names[0]) - 1
    assert names[1] == names[3]


@pytest.mark.parametrize("cut", [3, 20, 100, 300, 5000])
def test_a_file_that_is_cut_off_is_left_as_it_is(tmp_path: Path, cut: int) -> None:
    source = make(tmp_path / "source.gguf")
    source.write_bytes(source.read_bytes()[:cut])
    folder = tmp_path / "bundle"
    folder.mkdir()
    assert not write_parts(source, folder, "model.gguf")


def test_a_list_that_leads_out_is_refused(tmp_path: Path) -> None:
    first = tmp_path / "model.gguf"
    first.write_bytes(b"")
    assert parts_of(first) == [first]
    for line in ("../outside.gguf", "/etc/passwd", "missing.gguf"):
        list_file(first).write_text(line + "\n")
        with pytest.raises(LoadError):
            parts_of(first)
