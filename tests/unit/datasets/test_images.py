"""Folders of pictures."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
from PIL import Image

from studio.api import InvalidData, TensorType, Value
from studio.datasets import open_dataset
from studio.datasets.images import picture_size, read_picture

INPUT = Value("x", TensorType("float32", (None, 3, 8, 8)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, colour in (("a.png", "red"), ("b.jpg", "white")):
        Image.new("RGB", (12, 12), colour).save(tmp_path / name)
    (tmp_path / "preprocess.toml").write_text('resize = "stretch"\nheight = 8\nwidth = 8\n')
    return tmp_path


def message(folder: Path, value: Value = INPUT) -> str:
    with pytest.raises(InvalidData) as caught:
        list(open_dataset(folder, [value]))
    return caught.value.message


def test_pictures_become_samples(folder: Path) -> None:
    (folder / "labels.csv").write_text("a.png,0\nb.jpg,1\n")
    first, second = open_dataset(folder, [INPUT])
    assert (first.name, first.label) == ("a.png", 0)
    assert first.feeds["x"].shape == (1, 3, 8, 8)
    assert first.feeds["x"][0, :, 0, 0].tolist() == [1, 0, 0]
    assert second.label == 1


def test_without_preprocess_toml(folder: Path) -> None:
    (folder / "preprocess.toml").unlink()
    assert "holds images but no preprocess.toml" in message(folder)


def test_the_wrong_size_names_found_and_wanted(folder: Path) -> None:
    (folder / "preprocess.toml").write_text("")
    assert message(folder) == (
        "Sample a.png gives input 'x' float32 1×3×12×12, but the model wants float32 ?×3×8×8."
    )


def test_a_picture_that_is_none(folder: Path) -> None:
    (folder / "a.png").write_text("not a picture")
    assert message(folder) == (
        "a.png cannot be read as a picture: it is damaged or of another kind."
    )


def test_a_truncated_picture(folder: Path) -> None:
    picture = Image.fromarray(numpy.random.default_rng(0).integers(0, 255, (64, 64, 3), "uint8"))
    picture.save(folder / "a.png")
    data = (folder / "a.png").read_bytes()
    (folder / "a.png").write_bytes(data[: len(data) // 2])
    assert "a.png cannot be read as a picture" in message(folder)


def test_arrays_and_pictures_together(folder: Path) -> None:
    numpy.save(folder / "c.npy", numpy.zeros((1, 3, 8, 8)))
    assert "holds both arrays (c.npy) and images (a.png)" in message(folder)


def test_pictures_for_two_inputs(folder: Path) -> None:
    with pytest.raises(InvalidData, match="a model with one input, and this has 2"):
        open_dataset(folder, [INPUT, Value("z")])


def test_transparency_is_shown_on_white(tmp_path: Path) -> None:
    Image.new("RGBA", (2, 2), (255, 0, 0, 0)).save(tmp_path / "t.png")
    assert read_picture(tmp_path / "t.png").min() == 255


def test_sixteen_bits_of_grey_keep_their_brightness(tmp_path: Path) -> None:
    Image.fromarray(numpy.full((2, 2), 32768, numpy.uint16)).save(tmp_path / "g.png")
    assert read_picture(tmp_path / "g.png")[0, 0].tolist() == [128, 128, 128]


def test_a_picture_is_turned_as_the_camera_says(tmp_path: Path) -> None:
    image = Image.new("RGB", (4, 2), "black")
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "p.jpg", exif=exif)
    assert read_picture(tmp_path / "p.jpg").shape == (4, 2, 3)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    Image.new("1", (20_000, 6_000)).save(tmp_path / "big.png")
    with pytest.raises(InvalidData, match="20000×6000 pixels, more than the 100 million"):
        read_picture(tmp_path / "big.png")


def test_the_size_of_a_picture_is_that_of_its_pixels_also_where_it_lies_on_a_side(
    folder: Path,
) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.new("RGB", (12, 5)).save(folder / "b.jpg", exif=turned)
    assert picture_size(folder / "b.jpg") == read_picture(folder / "b.jpg").shape[:2] == (12, 5)
    assert picture_size(folder / "a.png") == (12, 12)


def test_a_file_that_is_no_picture_has_no_size(folder: Path) -> None:
    (folder / "a.png").write_text("no picture")
    with pytest.raises(InvalidData, match=r"a\.png cannot be read as a picture"):
        picture_size(folder / "a.png")
