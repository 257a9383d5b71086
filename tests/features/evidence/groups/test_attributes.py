"""Groups that follow from pictures and labels."""

from __future__ import annotations

import numpy
import pytest

from studio.api import InvalidData, UsageError
from studio.features.evidence.groups.attributes import (
    Band,
    banded,
    blur,
    brightness,
    length,
    object_size,
    script,
    size,
)

EDGES = numpy.indices((16, 16)).sum(axis=0)[:, :, None] // 4 % 2 * 255.0


def test_a_blurred_picture_has_less_of_a_laplacian() -> None:
    smooth = (EDGES + numpy.roll(EDGES, 1, 0) + numpy.roll(EDGES, 1, 1)) / 3
    assert blur(smooth) < blur(EDGES) / 2
    assert blur(numpy.full((16, 16, 3), 80.0)) == 0
    assert blur(numpy.zeros((2, 2, 1))) == 0


def test_brightness_and_size_of_a_picture() -> None:
    assert brightness(numpy.full((4, 6, 3), 80.0)) == pytest.approx(80)
    assert size(numpy.zeros((4, 6, 3))) == 24


def test_length_of_texts_alone() -> None:
    assert length("four") == 4
    with pytest.raises(InvalidData, match="need texts"):
        length(4)


def test_the_median_side_of_boxes() -> None:
    assert object_size("1 0 0 4 9; 2 0 0 10 10") == 8
    assert object_size("") == 0
    for label in (3, None, "a text", "1 2 3", "1 0 0 nan 4"):
        with pytest.raises(InvalidData, match="need boxes"):
            object_size(label)


def test_bands_have_equally_many_samples_and_their_range_as_name() -> None:
    found = banded([float(k) for k in range(9)], 3)
    assert found == ["0 to 2"] * 3 + ["3 to 5"] * 3 + ["6 to 8"] * 3


def test_equal_numbers_share_a_band() -> None:
    assert banded([1.0] * 8 + [2.0], 3) == ["1"] * 8 + ["2"]
    assert banded([1.0, None], 2) == ["1", None]
    assert banded([None], 2) == [None]


def test_bands_that_look_alike_are_numbered() -> None:
    assert banded([1.0, 1.0 + 1e-9], 2) == ["1 of 2", "2 of 2"]


def test_parts_of_an_intersection() -> None:
    assert Band.parse("brightness:4*script") == (Band("brightness", 4), Band("script", None))


@pytest.mark.parametrize("text", ["blur:1", "blur:21", "blur:x", "blur:", "blur:-3", "blur:²"])
def test_no_number_of_bands_is_one_sentence(text: str) -> None:
    with pytest.raises(UsageError, match="no number of bands"):
        Band.parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("TICKET", "Latin"),
        ("A-7", "Latin and digits"),
        ("20:15", "digits"),
        ("\u6771\u4eac A", "Han and Latin"),
        ("\u30c6\u30b9\u30c8", "Katakana"),
        ("\uc11c\uc6b8 2", "Hangul and digits"),
        ("\uff21", "Latin"),
        ("\u041c\u043e\u0441\u043a\u0432\u0430", "Cyrillic"),
        ("--", "signs"),
        ("", "signs"),
    ],
)
def test_the_script_of_a_text(text: str, expected: str) -> None:
    assert script(text) == expected


def test_script_of_texts_alone() -> None:
    with pytest.raises(InvalidData, match="need texts as labels"):
        script(3)


def test_large_numbers_of_a_band_have_no_exponent() -> None:
    assert banded([1.0, 2.0, 2760.4, 15530.0], 2) == ["1 to 2", "1 to 2", *["2760 to 15530"] * 2]
