"""The verbs up to the switch: receive, stage, install, probe; each refusal in one sentence."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.deployment.machine.upload import Stream
from studio.runtime.release.intake.source import (
    DEFLATED,
    END,
    FRAME_BYTES,
    HEADER,
    RAW,
    SHUFFLED,
    packed,
    unpacked,
)
from studio.runtime.shared.errors import ReleaseError
from studio.runtime.shared.files import digest_of
from tests.rigs.bundles import make_bundle
from tests.unit.runtime.release.machine import Machine, machine


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path / "root") as made:
        yield made


@pytest.mark.slow
def test_only_what_is_missing_is_sent(board: Machine, tmp_path: Path) -> None:
    first = make_bundle(tmp_path / "one", 1)
    board.ready(first)
    board.ok("end")
    again = make_bundle(tmp_path / "two", 2, seed=1, samples=3)
    board.begin(again.digest)
    assert board.send(again) == 2  # one more golden sample; model and the rest are there
    assert board.send(again) == 0


@pytest.mark.slow
def test_a_transfer_goes_on_where_it_was_cut(
    board: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.deployment.machine.upload._SAMPLE_BYTES", 1)
    bundle = make_bundle(tmp_path / "one", 1)
    board.begin(bundle.digest)
    stream = Stream(board.lacking(bundle))
    frames = b"".join(stream)
    model = next(file for file in bundle.files if file.name == "model.onnx")
    cut = frames.index(model.path.read_bytes()) + model.size // 2
    assert board.refused("receive", frames[:cut], **stream.request)["code"] == "cut-off"
    (left,) = [file for file in board.lacking(bundle) if file.offset]
    assert (left.name, left.path) == ("model.onnx", model.path)
    assert model.size // 3 < left.offset < model.size
    assert board.send(bundle) >= 1
    assert board.stage(bundle)["event"] == "result"
    assert list(board.layout.incoming.iterdir()) == []


@pytest.mark.slow
def test_a_beginning_of_another_file_is_not_gone_on_with(board: Machine, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "one", 1)
    model = next(file for file in bundle.files if file.name == "model.onnx")
    part = board.layout.incoming / f".{model.digest}.0.part"
    board.begin(bundle.digest)
    part.write_bytes(b"not what its name says")
    assert not any(file.offset for file in board.lacking(bundle))
    board.send(bundle)
    assert board.stage(bundle)["event"] == "result"
    assert list(board.layout.incoming.iterdir()) == []


@pytest.mark.parametrize("kind", [RAW, DEFLATED, SHUFFLED])
@pytest.mark.parametrize("size", [0, 1, 7, 4096, FRAME_BYTES])
def test_what_is_packed_comes_out_again(kind: int, size: int) -> None:
    content = random.Random(size).randbytes(size)
    assert unpacked(kind, packed(content, kind)) == content


def test_a_frame_that_grows_too_large_is_refused() -> None:
    with pytest.raises(ReleaseError, match="not a transfer"):
        unpacked(DEFLATED, packed(bytes(FRAME_BYTES + 1), DEFLATED))


@pytest.mark.slow
def test_a_damaged_blob_is_sent_again(board: Machine, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "one", 1)
    board.begin(bundle.digest)
    board.send(bundle)
    model = next(file for file in bundle.files if file.name == "model.onnx")
    blob = board.layout.blob(model.digest)
    blob.chmod(0o644)
    content = bytearray(blob.read_bytes())
    content[100] ^= 1
    blob.write_bytes(content)
    refusal = board.stage(bundle)
    assert refusal["code"] == "altered-file"
    assert "model.onnx is not what its manifest says" in refusal["message"]
    assert board.send(bundle) == 1
    assert board.stage(bundle)["event"] == "result"


@pytest.mark.slow
def test_a_file_that_is_not_what_was_announced(board: Machine) -> None:
    board.begin()
    frames = HEADER.pack(RAW, 5) + b"noise" + HEADER.pack(END, 0)
    blob = {"sha256": "a" * 64, "bytes": 5}
    assert board.refused("receive", frames, blobs=[blob])["code"] == "damaged-transfer"
    longer = {**blob, "bytes": 3}
    assert board.refused("receive", frames, blobs=[longer])["code"] == "damaged-transfer"
    assert (
        board.refused("receive", b"\x09" + frames[1:], blobs=[blob])["code"] == "damaged-transfer"
    )
    outside = {**blob, "sha256": "../../state.json"}
    assert board.refused("receive", frames, blobs=[outside])["code"] == "bad-request"
    gone = {**blob, "from": "../../state.json", "offset": 2}
    assert "is missing" in board.refused("receive", frames, blobs=[gone])["message"]
    assert list(board.layout.blobs.iterdir()) == []


def test_too_little_room_is_said_before_anything_is_sent(board: Machine) -> None:
    board.begin()
    answer = board.refused("missing", blobs={"a" * 64: 1 << 50})
    assert answer["code"] == "no-space"
    assert "needs 1,125,899,911 MB, and" in answer["message"]


@pytest.mark.parametrize("request_text", ["{", "[]", '{"blobs": 1}', '{"blobs": [{}]}'])
def test_a_bad_request_is_one_line(board: Machine, request_text: str) -> None:
    done = subprocess.run(
        [
            sys.executable,
            str(board.runtime),
            "release",
            "receive",
            "--root",
            str(board.layout.root),
        ],
        input=request_text.encode(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == b""
    assert json.loads(done.stdout)["event"] == "error"


@pytest.mark.slow
def test_the_counter_does_not_go_back(board: Machine, tmp_path: Path) -> None:
    board.deploy(make_bundle(tmp_path / "two", 2))
    older = make_bundle(tmp_path / "one", 1)
    board.begin(older.digest)
    board.send(older)
    refusal = board.stage(older)
    assert refusal["code"] == "counter-back"
    assert "Version 1 of cnn is older" in refusal["message"]


@pytest.mark.parametrize("verb", ["begin", "gc", "remove", "rollback"])
def test_a_request_that_never_arrived_changes_nothing(board: Machine, verb: str) -> None:
    """The link was cut between the command and its input."""
    done = subprocess.run(
        [*board.command, verb, "--root", str(board.layout.root)],
        input=b"",
        capture_output=True,
        check=False,
    )
    assert json.loads(done.stdout)["code"] == "cut-off"
    assert not board.layout.lease.exists()
    assert not board.layout.state.exists()


def test_another_operator_is_refused_by_name(board: Machine, tmp_path: Path) -> None:
    board.begin("a" * 64)
    other = Machine(board.layout.root, owner="bob@den", runtime=board.runtime)
    for verb in ("begin", "rollback", "remove", "gc"):
        assert other.refused(verb)["message"].startswith("ann@desk is deploying to this target")
    assert other.ok("status")["phase"] == "receive"
    board.ok("end")
    assert other.ok("begin")["token"]
    assert board.refused("missing", blobs={})["code"] == "lease-lost"


def make_wheel(path: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return path


def install(board: Machine, wheel: Path, module: str) -> dict[str, object]:
    digest = digest_of(wheel)
    board.begin()
    (board.layout.blobs / digest).write_bytes(wheel.read_bytes())
    wheels = [{"name": wheel.name, "sha256": digest}]
    return board.call("install", env=digest, wheels=wheels, imports=[module])


@pytest.mark.slow
def test_an_environment_is_made_without_pip(board: Machine, tmp_path: Path) -> None:
    wheel = make_wheel(
        tmp_path / "tiny-1.0-py3-none-any.whl",
        {
            "tiny/__init__.py": "__version__ = '1.0'\n",
            "tiny-1.0.data/purelib/tiny_more.py": "x = 1\n",
            "tiny-1.0.data/scripts/tiny": "#!python\n",
            "tiny-1.0.dist-info/RECORD": "",
        },
    )
    answer = install(board, wheel, "tiny")
    assert answer["versions"] == {"tiny": "1.0"}
    (folder,) = board.layout.environments.iterdir()
    site = next(folder.glob("lib/python3.*/site-packages"))
    assert sorted(path.name for path in site.iterdir() if path.name != "__pycache__") == [
        "tiny",
        "tiny-1.0.dist-info",
        "tiny_more.py",
    ]
    assert os.path.islink(folder / "bin" / "python3")
    assert install(board, wheel, "tiny")["installed"] is False


@pytest.mark.slow
@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"tiny/__init__.py": "import nothing_like_this"}, "runtime-broken"),
        ({"tiny/__init__.py": "import os; os.abort()"}, "runtime-broken"),
        ({"../outside.py": "x = 1"}, "bad-wheel"),
        ({"/outside.py": "x = 1"}, "bad-wheel"),
    ],
)
def test_a_wheel_that_does_not_work_leaves_nothing(
    board: Machine, tmp_path: Path, members: dict[str, str], code: str
) -> None:
    wheel = make_wheel(tmp_path / "tiny-1.0-py3-none-any.whl", members)
    assert install(board, wheel, "tiny")["code"] == code
    assert list(board.layout.environments.iterdir()) == []


@pytest.mark.slow
def test_a_release_that_answers_otherwise_is_not_switched_to(
    board: Machine, tmp_path: Path
) -> None:
    bundle = make_bundle(tmp_path / "one", 1)
    other = make_bundle(tmp_path / "two", 2)
    raw = json.loads(bundle.text)
    model = next(file for file in other.files if file.name == "model.onnx")
    raw["files"]["model.onnx"] = {"sha256": model.digest, "bytes": model.size}
    (bundle.folder / "model.onnx").unlink()
    (bundle.folder / "model.onnx").write_bytes(model.path.read_bytes())
    (bundle.folder / "manifest.json").write_text(json.dumps(raw))
    wrong = type(bundle).open(bundle.folder)
    board.ready(wrong)
    refusal = board.refused("probe", release=wrong.digest)
    assert refusal["code"] == "probe-failed"
    assert "2 of 2 golden samples differ" in refusal["message"]
    assert board.state["history"][-1]["state"] == "failed"
    assert board.layout.linked() == ""


@pytest.mark.slow
def test_a_refused_release_is_no_work_under_way(board: Machine, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "one", 1)
    board.begin(bundle.digest)
    board.send(bundle)
    blob = board.layout.blob(bundle.files[0].digest)
    blob.chmod(0o644)
    blob.write_bytes(b"altered")
    assert board.stage(bundle)["code"] == "altered-file"
    board.ok("end")
    assert board.state["phase"] == "idle"
    assert board.state["pending"] == ""


@pytest.mark.slow
def test_a_release_over_its_budget_or_unable_to_load(board: Machine, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "one", 1)
    board.ready(bundle)
    found = board.ok("probe", release=bundle.digest)
    assert found["samples"] == 2
    assert found["max_error"] <= found["atol"]
    refusal = board.refused("probe", release=bundle.digest, budget_ms=1e-6)
    assert "exceeds the budget of 0.00 ms" in refusal["message"]
    model = board.layout.release(bundle.digest) / "model.onnx"
    model.chmod(0o644)
    model.write_bytes(b"not a model")
    assert board.refused("probe", release=bundle.digest)["code"] == "not-loadable"
    assert board.refused("probe", release="b" * 64)["code"] == "not-staged"
