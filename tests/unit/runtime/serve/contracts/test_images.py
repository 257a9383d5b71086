"""Pictures: the runtime's preprocessing and decoding give the studio's bits, within limits."""

from __future__ import annotations

import builtins
import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from studio.datasets import Preprocess as StudioPreprocess
from studio.datasets.images import read_picture
from studio.runtime.serve.http.message import HttpError
from studio.runtime.serve.images import decoding, png
from studio.runtime.serve.images.answer import classified, ranked
from studio.runtime.serve.images.preprocess import Preprocess
from studio.runtime.serve.protocol.tensors import BY_NAME, TensorSpec
from tests.unit.runtime.serve.contracts import pictures

CHANCE = np.random.default_rng(7)
KINDS = [(c, d) for c, depths in png._DEPTHS.items() for d in depths]


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


def jpeg(height: int = 20, width: int = 30, **more: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(picture(height, width)).save(out, "JPEG", **more)
    return out.getvalue()


@pytest.fixture
def no_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *rest: object) -> object:
        if name.partition(".")[0] == "PIL":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", refuse)


# Preprocessing


sizes = st.integers(1, 40)
preprocessings = st.builds(
    dict,
    resize=st.sampled_from(["none", "stretch", "fit", "cover", "height"]),
    height=sizes,
    width=sizes,
    antialias=st.booleans(),
    whole_levels=st.booleans(),
    max_width=st.sampled_from([0, 25]),
    min_width=st.sampled_from([0, 30]),
    multiple=st.sampled_from([1, 8]),
    pad_value=st.sampled_from([0.0, 114.0, 127.5]),
    pad_align=st.sampled_from(["start", "center"]),
    crop_height=st.sampled_from([0, 5]),
    crop_width=st.sampled_from([0, 7]),
    color=st.sampled_from(["RGB", "BGR", "GRAY"]),
    scale=st.sampled_from([1 / 255, 1, 0.017]),
    mean=st.sampled_from([[0.485], 0.5, [0]]),
    std=st.sampled_from([[0.229], [1.0]]),
    layout=st.sampled_from(["NCHW", "NHWC"]),
    dtype=st.sampled_from(["float32", "float16", "uint8", "int8", "int32"]),
)


@settings(deadline=None, max_examples=300)
@given(preprocessings, sizes, sizes)
@example({"resize": "cover", "height": 1, "width": 2, "color": "BGR", "std": [0.229]}, 8, 3)
def test_it_gives_the_bits_that_the_studio_gives(values: dict, height: int, width: int) -> None:
    pixels = picture(height, width)
    wanted = StudioPreprocess.from_json(values).apply(pixels)
    found = Preprocess.from_json(values).apply(pixels)
    assert found.dtype == wanted.dtype
    assert found.shape == wanted.shape
    assert found.tobytes() == wanted.tobytes()


def test_defaults_and_keys_are_the_studios() -> None:
    values = StudioPreprocess().to_json()
    assert set(values) == set(Preprocess._fields)
    assert Preprocess.from_json(values) == Preprocess()
    assert Preprocess.from_json({}) == Preprocess()


@pytest.mark.parametrize(
    "content",
    [
        [],
        {"heigth": 3},
        {"color": "CMYK"},
        {"resize": "stretch", "height": 8},
        {"mean": [0.1, 0.2]},
        {"std": 0.0},
        {"height": "big"},
        {"scale": float("nan")},
        {"antialias": 1},
        {"multiple": 0},
        {"min_width": 10**9},
        {"crop_height": -1},
        {"resize": ["none"]},
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(content: object) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        Preprocess.from_json(content)


def test_a_long_thin_picture_does_not_become_a_huge_one() -> None:
    values = Preprocess.from_json({"resize": "height", "height": 48})
    with pytest.raises(ValueError, match="too large"):
        values.apply(np.zeros((1, 20_000, 3), np.uint8))


# Decoding


@pytest.mark.parametrize("interlaced", [False, True], ids=["plain", "interlaced"])
@pytest.mark.parametrize(("color", "depth"), KINDS)
def test_own_decoder_agrees_with_the_studio(
    tmp_path: Path, color: int, depth: int, interlaced: bool
) -> None:
    shape = (13, 17, pictures.CHANNELS[color])
    samples = CHANCE.integers(0, 1 << depth, shape)
    palette = CHANCE.integers(0, 256, 3 << depth, np.uint8).tobytes() if color == 3 else b""
    more = [pictures.chunk(b"PLTE", palette)] if palette else []
    content = pictures.png(samples, depth, color, *more, interlaced=interlaced)
    (tmp_path / "it.png").write_bytes(content)
    np.testing.assert_array_equal(png.decode(content), read_picture(tmp_path / "it.png"))


@pytest.mark.parametrize(
    ("color", "transparent"), [(0, b"\0\7"), (2, b"\0\1\0\2\0\3"), (3, b"\0\x40\x80")]
)
def test_transparent_colours_lie_on_white(tmp_path: Path, color: int, transparent: bytes) -> None:
    samples = CHANCE.integers(0, 4, (9, 9, pictures.CHANNELS[color]))
    samples[0, 0] = list(transparent[1::2])[: samples.shape[2]] if color != 3 else 1
    palette = CHANCE.integers(0, 256, 12, np.uint8).tobytes()
    more = [pictures.chunk(b"PLTE", palette)] if color == 3 else []
    more.append(pictures.chunk(b"tRNS", transparent))
    content = pictures.png(samples, 8, color, *more)
    (tmp_path / "it.png").write_bytes(content)
    found = png.decode(content)
    np.testing.assert_array_equal(found, read_picture(tmp_path / "it.png"))
    assert found[0, 0].min() > 0


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (9, 1), (2, 3), (40, 3)])
def test_small_shapes(tmp_path: Path, height: int, width: int) -> None:
    content = pictures.png(CHANCE.integers(0, 256, (height, width, 3)), 8, 2)
    (tmp_path / "it.png").write_bytes(content)
    np.testing.assert_array_equal(png.decode(content), read_picture(tmp_path / "it.png"))


def test_pillow_and_own_decoder_are_the_same_door(no_pillow: None) -> None:
    content = pictures.png(CHANCE.integers(0, 256, (5, 6, 3)), 8, 2)
    assert decoding.decode_picture(bytearray(content)).shape == (5, 6, 3)


def test_jpeg_without_pillow_is_one_sentence(no_pillow: None) -> None:
    with pytest.raises(HttpError) as caught:
        decoding.decode_picture(jpeg_without_import())
    assert caught.value.status == 415
    assert caught.value.sentence.startswith("This server cannot read JPEG: Pillow is not")


def jpeg_without_import() -> bytes:
    return b"\xff\xd8\xff\xe0" + bytes(100)


def test_jpeg_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = jpeg(20, 30, exif=exif)
    (tmp_path / "it.jpg").write_bytes(content)
    found = decoding.decode_picture(content)
    assert found.shape == (30, 20, 3)
    np.testing.assert_array_equal(found, read_picture(tmp_path / "it.jpg"))


@pytest.mark.parametrize("with_pillow", [True, False])
@pytest.mark.parametrize("size", [(25_000_000, 1), (1, 25_000_000), (40_000, 39)])
def test_a_strip_is_refused_before_it_is_unpacked(
    with_pillow: bool, size: tuple[int, int], request: pytest.FixtureRequest
) -> None:
    if not with_pillow:
        request.getfixturevalue("no_pillow")
    content = pictures.file(pictures.header(*size, 8, 2), bytes(1000))
    with pytest.raises(HttpError) as caught:
        decoding.decode_picture(content)
    assert caught.value.status == 400
    assert "may differ by a factor of 1000" in caught.value.sentence


@pytest.mark.parametrize("with_pillow", [True, False])
def test_a_bomb_is_refused_before_it_is_unpacked(
    with_pillow: bool, request: pytest.FixtureRequest
) -> None:
    if not with_pillow:
        request.getfixturevalue("no_pillow")
    content = pictures.file(pictures.header(60_000, 60_000, 8, 2), bytes(1000))
    began = time.process_time()
    with pytest.raises(HttpError) as caught:
        decoding.decode_picture(content)
    assert caught.value.status == 413
    assert time.process_time() - began < 1


def test_more_pixels_than_announced_are_not_unpacked() -> None:
    content = pictures.file(pictures.header(4, 1, 8, 0), bytes(200_000_000))
    assert len(content) < 300_000
    assert png.decode(content).shape == (1, 4, 3)


def test_other_bytes_are_of_the_wrong_kind() -> None:
    for content in (b"", b"GIF89a", b"\x89PNG", b"BM" + bytes(60)):
        with pytest.raises(HttpError) as caught:
            decoding.decode_picture(content)
        assert caught.value.status == 415


@settings(deadline=None, max_examples=400)
@given(st.data())
def test_damage_is_said_and_never_crashes(data: st.DataObject) -> None:
    color, depth = data.draw(st.sampled_from(KINDS))
    palette = pictures.chunk(b"PLTE", bytes(range(6)))
    samples = np.ones((4, 5, pictures.CHANNELS[color]), int)
    content = bytearray(pictures.png(samples, depth, color, *([palette] if color == 3 else [])))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(8, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(8, len(content)))]
    for decode in (decoding.decode_picture, decoding._with_own_decoder):
        assert status_of(decode, content) in (200, 400, 413, 415)


def status_of(decode: Callable[[bytearray], np.ndarray], content: bytearray) -> int:
    try:
        decode(content)
    except HttpError as error:
        return error.status
    return 200


def test_wrong_inner_lengths_are_said() -> None:
    head = pictures.header(4, 4, 8, 2)
    for pixels in (b"", bytes(10), bytes(51)):
        with pytest.raises(png.DamagedPicture):
            png.decode(pictures.file(head, pixels))
    with pytest.raises(png.DamagedPicture, match="filter"):
        png.decode(pictures.file(head, b"\x09" * 52))
    with pytest.raises(png.DamagedPicture, match="palette"):
        png.decode(pictures.file(pictures.header(1, 1, 8, 3), bytes(2)))


def test_a_turned_png_needs_pillow() -> None:
    content = pictures.file(pictures.header(1, 1, 8, 0), bytes(2), pictures.chunk(b"eXIf", b"II"))
    with pytest.raises(png.UnsupportedPicture, match="Pillow"):
        png.decode(content)


def test_a_camera_picture_is_decoded_in_time() -> None:
    samples = CHANCE.integers(0, 256, (480, 640, 3))
    content = io.BytesIO()
    Image.fromarray(samples.astype(np.uint8)).save(content, "PNG")
    began = time.process_time()
    np.testing.assert_array_equal(png.decode(content.getvalue()), samples)
    assert time.process_time() - began < 5


# Labels


def spec(name: str = "scores", kind: str = "FP32") -> TensorSpec:
    return TensorSpec(name, BY_NAME[kind], (-1, -1))


def test_probabilities_are_given_as_they_are() -> None:
    found = ranked(np.float32([0.1, 0.7, 0.2]), ["a", "b", "c"])
    assert [row["label"] for row in found] == ["b", "c", "a"]
    assert found[0] == {"label": "b", "index": 1, "score": 0.7}


def test_logits_become_probabilities_and_five_are_enough() -> None:
    found = ranked(np.float32([9, -3, 0, 1, 2, 3, 4]), list("abcdefg"))
    assert [row["label"] for row in found] == ["a", "g", "f", "e", "d"]
    assert 0.9 < found[0]["score"] <= 1


def test_not_a_number_does_not_win() -> None:
    assert ranked(np.float32([np.nan, 0.5]), ["a", "b"])[0]["label"] == "b"


def test_only_outputs_with_a_score_for_each_label_are_classes() -> None:
    labels = ["a", "b"]
    boxes = np.zeros((1, 4), np.float32)
    scores = np.float32([[0.2, 0.8], [0.9, 0.1]])
    outputs = {name: spec(name) for name in ("boxes", "scores")}
    found = classified({"boxes": boxes, "scores": scores}, outputs, labels)
    assert found is not None
    assert [row[0]["label"] for row in found] == ["b", "a"]
    assert classified({"boxes": boxes}, outputs, labels) is None
    assert classified({"scores": scores}, outputs, []) is None
