"""Datasets of arrays, with what people put into them by mistake."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import numpy
import pytest

from studio.api import InvalidData, TensorType, Value
from studio.datasets import open_dataset

IMAGE = Value("image", TensorType("float32", ("batch", 1, 4, 4)))
IDS = Value("ids", TensorType("int64", ("batch", 3)))


def pictures(count: int) -> numpy.ndarray:
    return numpy.arange(count * 16, dtype=numpy.float32).reshape(count, 1, 4, 4)


def message(path: Path, inputs: Sequence[Value]) -> str:
    """What is said about data that does not fit, when it is opened or read."""
    with pytest.raises(InvalidData) as caught:
        list(open_dataset(path, inputs))
    assert "\n" not in caught.value.message
    assert caught.value.message.endswith(".")
    return caught.value.message


@pytest.mark.parametrize("save", [numpy.savez, numpy.savez_compressed])
def test_npz_gives_each_sample_with_its_label(tmp_path: Path, save) -> None:
    save(tmp_path / "d.npz", image=pictures(5), labels=numpy.arange(5) + 10)
    samples = list(open_dataset(tmp_path / "d.npz", [IMAGE]))
    assert [sample.label for sample in samples] == [10, 11, 12, 13, 14]
    for index, sample in enumerate(samples):
        numpy.testing.assert_array_equal(sample.feeds["image"], pictures(5)[index : index + 1])


def test_a_dataset_can_be_read_again(tmp_path: Path) -> None:
    numpy.savez(tmp_path / "d.npz", image=pictures(3))
    dataset = open_dataset(tmp_path / "d.npz", [IMAGE])
    first, second = (
        [s.feeds["image"].sum() for s in dataset],
        [s.feeds["image"].sum() for s in dataset],
    )
    assert first == second
    assert len(first) == len(dataset) == 3


def test_a_limit_spreads_over_the_data(tmp_path: Path) -> None:
    numpy.savez_compressed(tmp_path / "d.npz", image=pictures(100), y=numpy.arange(100))
    dataset = open_dataset(tmp_path / "d.npz", [IMAGE], limit=4)
    assert [sample.label for sample in dataset] == [0, 25, 50, 75]
    assert len(dataset) == 4


def test_one_array_of_any_name_feeds_a_single_input(tmp_path: Path) -> None:
    numpy.savez(tmp_path / "d.npz", whatever=pictures(2))
    assert len(list(open_dataset(tmp_path / "d.npz", [IMAGE]))) == 2


def test_text_labels(tmp_path: Path) -> None:
    numpy.savez(tmp_path / "d.npz", image=pictures(2), texts=numpy.array(["ä b", "007"]))
    assert [s.label for s in open_dataset(tmp_path / "d.npz", [IMAGE])] == ["ä b", "007"]


def test_an_input_called_y_is_no_label(tmp_path: Path) -> None:
    values = [Value("y", TensorType("float32", ("n", 2)))]
    numpy.savez(tmp_path / "d.npz", y=numpy.ones((3, 2)))
    (sample, *_) = open_dataset(tmp_path / "d.npz", values)
    assert sample.label is None
    assert sample.feeds["y"].dtype == numpy.float32


def test_a_rank_more_holds_whole_feeds(tmp_path: Path) -> None:
    state = Value("state", TensorType("float32", (2, 1, 8)))
    rate = Value("rate", TensorType("int64", ()))
    numpy.savez(tmp_path / "d.npz", state=numpy.zeros((6, 2, 1, 8)), rate=numpy.array(16000))
    samples = list(open_dataset(tmp_path / "d.npz", [state, rate]))
    assert len(samples) == 6
    assert samples[0].feeds["state"].shape == (2, 1, 8)
    assert samples[5].feeds["rate"] == 16000


def test_a_fixed_batch_takes_several_rows(tmp_path: Path) -> None:
    value = Value("x", TensorType("float32", (2, 3)))
    numpy.save(tmp_path / "d.npy", numpy.arange(18).reshape(6, 3))
    samples = [s.feeds["x"].tolist() for s in open_dataset(tmp_path / "d.npy", [value])]
    assert samples[2] == [[12, 13, 14], [15, 16, 17]]


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_samples(tmp_path: Path) -> None:
    numpy.savez_compressed(tmp_path / "d.npz", image=numpy.zeros((40_000, 1, 4, 4), "float32"))
    tracemalloc.start()
    try:
        total = sum(1 for _ in open_dataset(tmp_path / "d.npz", [IMAGE]))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == 40_000
    assert peak < 500_000  # the array has 2.5 MB


def test_a_folder_of_arrays(tmp_path: Path) -> None:
    for index in range(3):
        numpy.save(tmp_path / f"{index}.npy", pictures(3)[index])
    (tmp_path / "labels.csv").write_text("0.npy,5\n1.npy,6\n2.npy,7\n")
    samples = list(open_dataset(tmp_path, [IMAGE]))
    assert [(s.name, s.label) for s in samples] == [("0.npy", 5), ("1.npy", 6), ("2.npy", 7)]
    assert samples[0].feeds["image"].shape == (1, 1, 4, 4)


def test_a_folder_of_npz_for_several_inputs(tmp_path: Path) -> None:
    numpy.savez(tmp_path / "a.npz", image=pictures(1), ids=numpy.array([[1, 2, 3]]))
    (sample,) = open_dataset(tmp_path, [IMAGE, IDS])
    assert sample.feeds["ids"].tolist() == [[1, 2, 3]]


# What does not fit


def test_wrong_shape_names_input_found_and_wanted(tmp_path: Path) -> None:
    numpy.savez(tmp_path / "d.npz", image=numpy.zeros((5, 3, 4, 4)))
    text = message(tmp_path / "d.npz", [IMAGE])
    for part in ("'image'", "5×3×4×4", "float32 batch×1×4×4"):
        assert part in text


def test_wrong_rank(tmp_path: Path) -> None:
    numpy.save(tmp_path / "d.npy", numpy.zeros((5, 16)))
    assert "5×16" in message(tmp_path / "d.npy", [IMAGE])


def test_wrong_key_says_what_is_there(tmp_path: Path) -> None:
    numpy.savez(tmp_path / "d.npz", image=pictures(2), identity=numpy.zeros((2, 3), int))
    assert message(tmp_path / "d.npz", [IMAGE, IDS]) == (
        "d.npz has no array for input 'ids'; it has 'image', 'identity'."
    )


def test_differing_numbers_of_samples(tmp_path: Path) -> None:
    numpy.savez(tmp_path / "d.npz", image=pictures(5), labels=numpy.arange(4))
    assert message(tmp_path / "d.npz", [IMAGE]) == (
        "d.npz has differing numbers of samples: 5 for input 'image', 4 for the labels."
    )


def test_no_samples(tmp_path: Path) -> None:
    numpy.savez(tmp_path / "d.npz", image=pictures(0))
    assert message(tmp_path / "d.npz", [IMAGE]) == "d.npz has no samples."


@pytest.mark.parametrize(("value", "word"), [(numpy.nan, "not-a-number"), (numpy.inf, "infinite")])
def test_values_that_are_not_finite(tmp_path: Path, value: float, word: str) -> None:
    array = pictures(3)
    array[1, 0, 2, 2] = value
    numpy.savez(tmp_path / "d.npz", image=array)
    assert message(tmp_path / "d.npz", [IMAGE]) == f"Sample #1 gives input 'image' {word} values."


def test_pickles_are_never_loaded(tmp_path: Path) -> None:
    numpy.save(tmp_path / "d.npy", numpy.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert "pickle" in message(tmp_path / "d.npy", [IMAGE])


def test_a_damaged_file(tmp_path: Path) -> None:
    numpy.save(tmp_path / "d.npy", pictures(4))
    data = (tmp_path / "d.npy").read_bytes()
    (tmp_path / "d.npy").write_bytes(data[:-40])
    assert "ends early" in message(tmp_path / "d.npy", [IMAGE])
    (tmp_path / "d.npy").write_bytes(b"hello")
    assert "cannot be read as an array" in message(tmp_path / "d.npy", [IMAGE])
    (tmp_path / "d.npz").write_bytes(data)
    assert message(tmp_path / "d.npz", [IMAGE]) == "d.npz is not a readable .npz file."


def test_a_damaged_compressed_member(tmp_path: Path) -> None:
    numpy.savez_compressed(
        tmp_path / "d.npz", image=numpy.random.default_rng(0).random((9, 1, 4, 4))
    )
    data = bytearray((tmp_path / "d.npz").read_bytes())
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "d.npz").write_bytes(data)
    assert "'image' in d.npz cannot be read" in message(tmp_path / "d.npz", [IMAGE])


def test_a_header_that_claims_too_much(tmp_path: Path) -> None:
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1, 99999, 99999), }"
    header = header.ljust(117) + b"\n"
    magic = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little")
    (tmp_path / "d.npy").write_bytes(magic + header)
    value = Value("image", TensorType("float32", (None, 1, None, None)))
    assert "would take 37.3 GiB" in message(tmp_path / "d.npy", [value])


def test_types_that_do_not_convert(tmp_path: Path) -> None:
    numpy.savez(tmp_path / "d.npz", ids=numpy.ones((2, 3)) * 0.5)
    text = message(tmp_path / "d.npz", [IDS])
    assert text == "Sample #0 gives input 'ids' float64 values, but the model wants int64."
    small = Value("x", TensorType("uint8", (None, 2)))
    numpy.save(tmp_path / "d.npy", numpy.array([[1, 300]]))
    assert "values that uint8 cannot hold" in message(tmp_path / "d.npy", [small])


def test_one_hot_labels(tmp_path: Path) -> None:
    numpy.savez(tmp_path / "d.npz", image=pictures(3), labels=numpy.eye(3, dtype=int))
    assert "one label for each sample" in message(tmp_path / "d.npz", [IMAGE])


def test_no_data_at_all(tmp_path: Path) -> None:
    assert "holds no samples" in message(tmp_path, [IMAGE])
    assert "No data at" in message(tmp_path / "absent", [IMAGE])
    (tmp_path / "d.txt").write_text("1 2 3")
    assert "not a kind of data" in message(tmp_path / "d.txt", [IMAGE])


def test_column_order_is_refused_not_misread(tmp_path: Path) -> None:
    numpy.save(tmp_path / "d.npy", numpy.asfortranarray(pictures(3)))
    assert "column by column" in message(tmp_path / "d.npy", [IMAGE])
