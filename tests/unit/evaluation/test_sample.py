"""The run of a sample: its output in words, pictures of the data, and one sentence for failures."""

from __future__ import annotations

import base64
import io
import os
import shutil
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy
import PIL.Image
import pytest

from studio.documents.dataclass_json import from_json, to_json
from studio.evaluation import sample_texts
from studio.evaluation.results import SampleResult
from studio.evaluation.sample_step import SAMPLE
from studio.evaluation.sample_work import run_sample
from studio.models.results import Answer, Box, ScoredClass
from studio.registry import VariantRecord
from tests.unit.quantization.conftest import DIGITS, FakeJob, options_of

pytestmark = pytest.mark.slow


def run(digits: VariantRecord, job: FakeJob, data: Path, **given: Any) -> SampleResult:
    result = run_sample(options_of(SAMPLE, digits, data=str(data), **given), job)
    assert from_json(SampleResult, to_json(result)) == result  # it travels as JSON
    return result


def pictures(folder: Path, count: int = 10) -> Path:
    """Return a folder of pictures of digits, with the preprocessing of the sample."""
    folder.mkdir()
    shutil.copy(DIGITS / "preprocess.toml", folder)
    with numpy.load(DIGITS / "heldout.npz") as data:
        for number, image in enumerate(data["image"][:count]):
            pixels = (image[0] * (255 / image.max())).astype(numpy.uint8)
            PIL.Image.fromarray(pixels).resize((200, 200)).save(folder / f"{number:02}.png")
    return folder


def huge_png(side: int) -> bytes:
    """Return a PNG that says to be enormous, in a few bytes."""
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 64)), (b"IEND", b""))
    parts = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_a_sample_has_its_class_and_its_time(digits: VariantRecord, job: FakeJob) -> None:
    result = run(digits, job, DIGITS / "heldout.npz", labels=str(DIGITS / "labels.txt"))
    assert result.run is not None
    assert (result.run.answer.kind, result.run.sample) == ("classes", "#0")
    assert result.run.milliseconds > 0
    assert result.run.meaning == "Classes"
    assert 'task = "classification"' in result.run.outputs
    [line] = sample_texts.sample(result)
    assert line.startswith("#0: ")
    assert line.endswith(" ms)")
    assert len(result.pictures) == 8, "arrays that are pictures are drawn, too"


def test_pictures_are_small_and_few(digits: VariantRecord, job: FakeJob, tmp_path: Path) -> None:
    result = run(digits, job, pictures(tmp_path / "p"))
    assert result.run is not None
    assert (len(result.pictures), result.unreadable) == (8, 0)
    for one in result.pictures:
        with PIL.Image.open(io.BytesIO(base64.b64decode(one.png))) as image:
            assert image.format == "PNG"
            assert max(image.size) <= 96
    assert run(digits, job, tmp_path / "p", pictures=0).pictures == ()


def test_pictures_are_shown_where_the_model_cannot_take_them(
    digits: VariantRecord, job: FakeJob, tmp_path: Path
) -> None:
    folder = pictures(tmp_path / "p", 3)
    (folder / "preprocess.toml").unlink()
    result = run(digits, job, folder)
    assert result.run is None
    assert "p holds images but no preprocess.toml" in result.problem
    assert len(result.pictures) == 3
    assert sample_texts.sample(result)[0].startswith(result.problem)


def test_hostile_pictures_are_left_out(digits: VariantRecord, job: FakeJob, tmp_path: Path) -> None:
    folder = pictures(tmp_path / "p", 2)
    (folder / "huge.png").write_bytes(huge_png(60_000))
    (folder / "bomb.png").write_bytes(huge_png(9_000))  # fits the bound, and has no pixels
    (folder / "text.jpg").write_text("<svg onload='alert(1)'/>")
    (folder / "moved.png").symlink_to(tmp_path / "nowhere.png")
    os.mkfifo(folder / "pipe.png")
    PIL.Image.new("RGB", (4, 4)).save(folder / "disguised.png", "GIF")
    result = run(digits, job, folder)
    assert len(result.pictures) == 2
    assert result.unreadable == 4, "neither the pipe nor the link is a file"


def test_data_that_do_not_fit_are_one_sentence(
    digits: VariantRecord, job: FakeJob, tmp_path: Path
) -> None:
    numpy.savez(tmp_path / "wide.npz", image=numpy.zeros((2, 1, 9, 9), numpy.float32))
    numpy.savez(tmp_path / "none.npz", image=numpy.zeros((0, 1, 8, 8), numpy.float32))
    for name in ("wide.npz", "none.npz", "gone.npz"):
        result = run(digits, job, tmp_path / name)
        assert result.run is None
        assert 0 < len(result.problem) < 300
        assert "\n" not in result.problem


def test_a_list_that_is_none_is_left_out(
    digits: VariantRecord, job: FakeJob, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "raw.txt").write_bytes(b"\xff\xfe\n" * 20)
    for name in ("pipe.txt", "raw.txt"):
        result = run(digits, job, DIGITS / "heldout.npz", labels=str(tmp_path / name))
        assert result.run is not None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer("classes", classes=(ScoredClass("cat", 3, 0.912),)), "cat, score 0.91"),
        (Answer("text", text="Oat drink", score=0.998), "“Oat drink”, score 1.00"),
        (Answer("text"), "no text"),
        (Answer("boxes"), "no boxes"),
        (
            Answer("boxes", boxes=(Box((0, 0, 1, 1), "dog", 0.5),) * 5),
            "dog 0.50, dog 0.50, dog 0.50 and 2 more",
        ),
        (Answer("values", values=("y: 1×3", "z: 2")), "y: 1×3; z: 2"),
        (Answer("classes", classes=(ScoredClass("a\x1b[31m" * 99, 0, 1),)), None),
    ],
)
def test_an_answer_in_words(answer: Answer, words: str | None) -> None:
    found = sample_texts.in_words(answer)
    assert found.isprintable()
    assert len(found) < 100
    if words is not None:
        assert found == words
