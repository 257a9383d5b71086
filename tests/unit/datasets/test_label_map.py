"""Label maps: what they give, and one sentence for each way in which they can be wrong."""

from __future__ import annotations

import os
from pathlib import Path

import numpy
import pytest

from studio.api import InvalidData, TensorType, Value
from studio.datasets import open_dataset
from studio.datasets.label_map import MOST_BYTES, LabelMap

INPUT = [Value("x", TensorType("float32", (1, 2)))]


def read(tmp_path: Path, content: str, name: str = "labelmap.txt") -> LabelMap:
    (tmp_path / name).write_text(content)
    return LabelMap.read(tmp_path / name)


def test_a_label_and_its_class_stand_on_each_line(tmp_path: Path) -> None:
    text = "# from ImageNet\ntabby cat,281\nn01\t0\r\ndog 3\n\n7=1\ncat3: 5\na,b,6\n"
    assert read(tmp_path, text).classes == {
        "tabby cat": 281,
        "n01": 0,
        "dog": 3,
        "7": 1,
        "cat3": 5,
        "a,b": 6,
    }


def test_json_is_one_object(tmp_path: Path) -> None:
    found = read(tmp_path, '{"cat": 3, "0": 1, "dog": "2"}', "map.json")
    assert found.classes == {"cat": 3, "0": 1, "dog": 2}


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("m.txt", "", "m.txt is empty"),
        ("m.txt", "cat,1\ncat,2\n", "m.txt has the label 'cat' more than once"),
        ("m.txt", "cat,1\ndog,tabby\n", "line 2: 'dog,tabby' does not end in a class number"),
        ("m.txt", "cat3\n", "line 1: 'cat3' does not end in a class number"),
        ("m.txt", "3\n", "line 1: '3' does not end in a class number"),
        ("m.txt", "cat -1\n", "line 1: 'cat -1' does not end in a class number"),
        ("m.txt", "cat " + "9" * 5000, "is not a class number"),
        ("m.txt", " ," * 300_000, "does not end in a class number"),
        ("m.json", "[1]", "m.json is not a JSON object"),
        ("m.json", '["a", ["b", 1]]', "m.json is not a JSON object"),
        ("m.json", "{", "m.json cannot be read as JSON"),
        ("m.json", "[" * 100_000, "m.json cannot be read as JSON"),
        ("m.json", '{"cat": 1, "cat": 2}', "m.json has the label 'cat' more than once"),
        ("m.json", '{"cat": true}', "gives the label 'cat' no class: its value is not a class"),
        ("m.json", '{"cat": 1.5}', "its value is not a class number"),
        ("m.json", '{"cat": -1}', "'-1' is not a class number"),
        ("m.json", '{"cat": {"dog": 1}}', "its value is not a class number"),
        ("m.json", '{"cat": "²"}', "'²' is not a class number"),
        ("m.json", "{}", "m.json is empty"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    name: str, content: str, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidData) as caught:
        read(tmp_path, content, name)
    assert sentence in caught.value.message
    assert len(caught.value.message) < 250


def test_what_is_no_text_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "big.txt").write_bytes(b"a" * (MOST_BYTES + 1))
    (tmp_path / "raw.txt").write_bytes(b"\xff\xfe\x00")
    os.mkfifo(tmp_path / "pipe.txt")
    for name, sentence in (
        ("big.txt", "larger than 1,024 KB"),
        ("raw.txt", "not UTF-8"),
        ("pipe.txt", "not a file"),
        ("gone.txt", "not a file"),
    ):
        with pytest.raises(InvalidData, match=sentence):
            LabelMap.read(tmp_path / name)


def test_a_class_that_the_model_does_not_have(tmp_path: Path) -> None:
    found = read(tmp_path, "cat,9\ndog,10\n")
    found.check(11)
    found.check(None)
    found.check(1)  # one score has two classes
    with pytest.raises(InvalidData, match="maps 'dog' to class 10, and the model has 10 classes"):
        found.check(10)


def test_labels_without_a_class_are_counted(tmp_path: Path) -> None:
    found = read(tmp_path, "cat,1\n")
    with pytest.raises(InvalidData, match=r"no class for 2 of 3 labels of the data, .* 'dog'"):
        found.apply(["cat", "dog", "cow", "dog"])


def labels(path: Path, label_map: LabelMap | None) -> list[int | str | None]:
    return [sample.label for sample in open_dataset(path, INPUT, label_map=label_map)]


def test_labels_of_an_array_are_mapped(tmp_path: Path) -> None:
    numpy.savez(tmp_path / "n.npz", x=numpy.zeros((2, 2), numpy.float32), labels=[80, 90])
    assert labels(tmp_path / "n.npz", read(tmp_path, "80 0\n90 1\n")) == [0, 1]


def test_folders_of_classes_are_mapped_by_name(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / "d" / name).mkdir(parents=True)
        numpy.save(tmp_path / "d" / name / "a.npy", numpy.zeros((1, 2), numpy.float32))
    found = read(tmp_path, "dog,3\ncat,5\n")
    assert labels(tmp_path / "d", None) == [0, 1]
    assert labels(tmp_path / "d", found) == [5, 3]
    (tmp_path / "d" / "labels.txt").write_text("dog\ncat\n")
    assert labels(tmp_path / "d", None) == [1, 0]
    assert labels(tmp_path / "d", found) == [5, 3], "the names count, in whatever order"


def test_labels_by_file_are_mapped(tmp_path: Path) -> None:
    folder = tmp_path / "d"
    folder.mkdir()
    for name in ("a", "b"):
        numpy.save(folder / f"{name}.npy", numpy.zeros((1, 2), numpy.float32))
    (folder / "labels.csv").write_text("a.npy,cat\nb.npy,dog\n")
    assert labels(folder, read(tmp_path, "dog,3\ncat,5\n")) == [5, 3]
    with pytest.raises(InvalidData, match="no class for 1 of 2 labels"):
        labels(folder, read(tmp_path, "dog,3\n"))
