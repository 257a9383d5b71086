"""Corruptions: what each does to a picture, a signal, a text."""

from __future__ import annotations

import numpy
import onnxruntime
import pytest

from studio.features.evidence.robustness.blur import convolved
from studio.features.evidence.robustness.corrupted_samples import typos
from studio.features.evidence.robustness.families import (
    PICTURES,
    SEVERITIES,
    SIGNALS,
    corrupted_picture,
    random_for,
)
from studio.features.evidence.robustness.signals import ValueSpread
from studio.features.evidence.robustness.weather import plasma, stretched
from tests.unit.quantization.conftest import DIGITS

CORRUPTIONS = [(name, one) for family in PICTURES.values() for name, one in family.items()]
CHANGES = [(name, one) for family in SIGNALS.values() for name, one in family.items()]
LEVELS = range(1, SEVERITIES + 1)


def picture(height: int = 48, width: int = 64, channels: int = 3) -> numpy.ndarray:
    down, right = numpy.mgrid[0:height, 0:width]
    squares = (down // 6 + right // 6) % 2
    return numpy.stack([0.2 + 0.5 * squares, down / height, right / width][:channels], axis=2)


def named(names: list[tuple[str, object]]) -> list[str]:
    return [name for name, _ in names]


@pytest.mark.parametrize(("name", "corruption"), CORRUPTIONS, ids=named(CORRUPTIONS))
def test_a_picture_keeps_its_shape_and_its_range(name: str, corruption: object) -> None:
    for shape in ((48, 64, 3), (8, 8, 1), (1, 1, 3), (3, 40, 1)):
        for severity in LEVELS:
            found = corrupted_picture(
                picture(*shape), corruption, severity, random_for(0, name, severity, "a")
            )  # type: ignore[arg-type]
            assert found.shape == shape
            assert found.min() >= 0
            assert found.max() <= 1


@pytest.mark.parametrize(("name", "corruption"), CORRUPTIONS, ids=named(CORRUPTIONS))
def test_a_higher_severity_changes_more(name: str, corruption: object) -> None:
    clean = picture()
    distances = [
        numpy.mean(
            [
                abs(
                    corrupted_picture(clean, corruption, severity, random_for(seed, name, 1, "a"))
                    - clean
                ).mean()  # type: ignore[arg-type]
                for seed in range(6)
            ]
        )
        for severity in LEVELS
    ]
    assert distances[0] > 0.003
    assert distances[0] < distances[2] < distances[4] or name in ("fog", "motion")
    assert distances[0] < distances[4] or name == "fog"


@pytest.mark.parametrize(("name", "corruption"), CORRUPTIONS, ids=named(CORRUPTIONS))
def test_equal_seeds_give_equal_pictures_and_other_samples_other_noise(
    name: str, corruption: object
) -> None:
    one, again, other = (
        corrupted_picture(picture(), corruption, 3, random_for(0, name, 3, sample))  # type: ignore[arg-type]
        for sample in ("a", "a", "b")
    )
    assert (one == again).all()
    fixed = name in ("defocus", "zoom", "brightness", "contrast", "jpeg", "pixelate")
    assert (one == other).all() == fixed


def test_a_convolution_against_sums_by_hand() -> None:
    random = numpy.random.default_rng(0)
    pixels, kernel = random.random((7, 9, 2)), random.random((3, 3))
    wide = numpy.pad(pixels, [(1, 1), (1, 1), (0, 0)], mode="symmetric")
    expected = numpy.zeros_like(pixels)
    for down in range(3):
        for right in range(3):
            weight = kernel[2 - down, 2 - right] / kernel.sum()
            expected += weight * wide[down : down + 7, right : right + 9]
    assert convolved(pixels, kernel) == pytest.approx(expected)


def test_blur_keeps_an_even_picture() -> None:
    even = numpy.full((20, 30, 3), 0.4)
    for corruption in PICTURES["blur"].values():
        assert corrupted_picture(even, corruption, 5, random_for(0, "x", 5, "a")) == pytest.approx(
            0.4
        )


def test_the_deviation_of_gaussian_noise_is_the_published_one() -> None:
    grey = numpy.full((200, 200, 1), 0.5)
    for severity, deviation in zip((1, 2), (0.08, 0.12), strict=True):
        found = PICTURES["noise"]["gaussian"](grey, severity - 1, random_for(0, "g", 1, "a"))
        assert found.std() == pytest.approx(deviation, rel=0.02)


def test_impulses_hit_the_published_share() -> None:
    grey = numpy.full((200, 200, 1), 0.5)
    found = PICTURES["noise"]["impulse"](grey, 4, random_for(0, "i", 5, "a"))
    assert (found != 0.5).mean() == pytest.approx(0.27, abs=0.01)


def test_a_cloud_is_between_zero_and_one_and_no_plane() -> None:
    found = plasma(40, 60, 1.7, numpy.random.default_rng(0))
    assert (found.min(), found.max()) == (0, 1)
    assert found.std() > 0.1
    assert stretched(numpy.array([[0.0, 1.0]]), 2, 3).tolist() == [[0, 0.5, 1]] * 2


def test_snow_makes_a_picture_brighter_and_splashes_cover_their_share() -> None:
    grey = numpy.full((200, 200, 3), 0.6)
    snowy, muddy = (
        corrupted_picture(grey, PICTURES["weather"][name], 5, random_for(0, name, 5, "a"))
        for name in ("snow", "spatter")
    )
    assert (snowy >= 0.6 - 1e-9).all()
    assert (muddy < 0.41).mean() == pytest.approx(0.38, abs=0.02)


def test_a_picture_grows_around_its_middle() -> None:
    clean = numpy.zeros((9, 9, 1))
    clean[4, 4], clean[0, 0] = 1, 1
    found = corrupted_picture(clean, PICTURES["blur"]["zoom"], 5, random_for(0, "zoom", 5, "a"))
    assert found[4, 4] == pytest.approx(1)
    assert found[0, 0] < 0.6
    assert found == pytest.approx(found.transpose(1, 0, 2))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["glass", "zoom", "snow", "frost", "spatter"])
def test_answers_get_worse_with_the_severity(name: str) -> None:
    session = onnxruntime.InferenceSession(str(DIGITS / "digits.onnx"))
    with numpy.load(DIGITS / "heldout.npz") as file:
        pictures, labels = file["image"][:200, 0, :, :, None].astype(numpy.float64), file["labels"]
    corruption = next(family[name] for family in PICTURES.values() if name in family)
    right = []
    for severity in (1, 3, 5):
        batch = [
            corrupted_picture(one, corruption, severity, random_for(0, name, severity, f"#{index}"))
            for index, one in enumerate(pictures)
        ]
        array = numpy.stack(batch).transpose(0, 3, 1, 2).astype(numpy.float32)
        answers = session.run(None, {"image": array})[0].argmax(axis=1)
        right.append(float((answers == labels[:200]).mean()))
    assert right == sorted(right, reverse=True)
    assert right[2] < 0.98 or name == "zoom"  # eight pixels are hardly moved by a zoom


@pytest.mark.parametrize(("name", "change"), CHANGES, ids=named(CHANGES))
def test_a_signal_keeps_its_shape_and_changes_more_with_the_severity(
    name: str, change: object
) -> None:
    random = numpy.random.default_rng(1)
    clean = random.normal(3, 2, (1, 400))
    one = numpy.asarray
    spread = ValueSpread(one(3.0), one(2.0), one(-4.0), one(10.0))
    distances = []
    for level in range(SEVERITIES):
        found = change(clean, level, random_for(0, name, 1, "a"), spread)  # type: ignore[operator]
        assert found.shape == clean.shape
        distances.append(abs(found - clean).mean())
    assert 0 < distances[0] < distances[2] < distances[4]


def test_a_single_number_can_be_corrupted() -> None:
    one = numpy.asarray
    spread = ValueSpread(one(0.0), one(1.0), one(-1.0), one(1.0))
    for name, change in CHANGES:
        assert change(numpy.ones((1, 1)), 4, random_for(0, name, 5, "a"), spread).shape == (1, 1)  # type: ignore[operator]


def test_typing_errors() -> None:
    text = "the quick brown fox jumps over the lazy dog " * 20
    found = [typos(text, level, random_for(0, "typos", 1, "a")) for level in (0, 4)]
    assert found[0] != text
    assert abs(len(found[1]) - len(text)) < len(text) / 5
    wrong = [sum(a != b for a, b in zip(one[:40], text[:40], strict=True)) for one in found]
    assert wrong[1] > wrong[0]
    assert typos("", 4, random_for(0, "typos", 5, "a")) == ""
