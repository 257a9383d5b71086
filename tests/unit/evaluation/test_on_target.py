"""Evaluation by another machine's runtime: a folder as the machine, and a real SSH board."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pytest

from studio.api import StudioError, TargetError, TargetSpec
from studio.evaluation import on_target
from studio.quantization import evaluation
from studio.quantization.step import EVALUATE, EvaluateOptions
from studio.registry import Registry, VariantRecord
from studio.runtime import answers
from studio.settings import Paths
from tests.rigs.boards import Board, Network
from tests.unit.profiling.test_remote import RUNNER, FolderChannel

from ..quantization.conftest import DIGITS, FakeJob, options_of
from ..quantization.test_work import CALIBRATION, HELDOUT

TARGET = TargetSpec("shelf", "ssh://shelf")


class Channel(FolderChannel):
    """Another machine that is a folder; what it answers can be spoilt."""

    spoilt = False
    closed = 0

    def get(self, source: str, target: Path) -> None:
        shutil.copy(source, target)
        if self.spoilt:
            found = list(answers.samples(str(target)))
            with answers.zipfile.ZipFile(target, "w") as archive:
                for index, (name, arrays) in enumerate(found):
                    wrong = {k: -v if index % 10 == 0 else v for k, v in arrays.items()}
                    answers.write(archive, name, wrong)

    def close(self) -> None:
        Channel.closed += 1


class Connector:
    def __init__(self, root: Path) -> None:
        self.root, self.channel = root, Channel(os.environ["PATH"])

    def connect(self, target: Any, job: Any) -> Channel:
        return self.channel

    def default_root(self, target: Any) -> str:
        return str(self.root)


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Connector:
    """A machine whose Python is that of these tests."""
    python = tmp_path / "shelf/env/one/bin/python3"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    connector = Connector(tmp_path / "shelf")
    monkeypatch.setattr(on_target, "connector_for", lambda host, target: connector)
    return connector


def asked(digits: VariantRecord, data: str = HELDOUT) -> EvaluateOptions:
    return replace(options_of(EVALUATE, digits, data=data, samples=60), target=TARGET)


@pytest.mark.slow
@pytest.mark.parametrize("most", [on_target._PACK_BYTES, 1000])
def test_both_figures_stand_side_by_side(
    digits: VariantRecord,
    job: FakeJob,
    shelf: Connector,
    monkeypatch: pytest.MonkeyPatch,
    most: int,
) -> None:
    monkeypatch.setattr(on_target, "_PACK_BYTES", most)
    result = evaluation.evaluate(asked(digits), job)
    there = result.target
    assert there is not None
    assert there.value == result.metric.value >= 0.97
    assert (there.name, there.runtime, there.changed) == ("shelf", "onnxruntime", (0, 0))
    assert there.version == result.backend.version
    packs = [path for path in shelf.channel.sent if path.endswith("samples.zip")]
    assert len(packs) == (1 if most > 1000 else 15)
    assert [path.name for path in shelf.root.iterdir()] == ["env"]  # nothing is left there


def test_what_the_target_reads_otherwise_is_named(
    digits: VariantRecord, job: FakeJob, shelf: Connector
) -> None:
    shelf.channel.spoilt = True
    there = evaluation.evaluate(asked(digits), job).target
    assert there is not None
    assert 0.05 < there.drop <= 0.1
    assert there.changed[0] == len(there.lost) >= 5


def test_a_target_that_cannot_run_the_model_says_why(
    digits: VariantRecord, job: FakeJob, shelf: Connector, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Channel.closed
    send = Channel.put

    def damaged(self: Channel, source: Path, target: str, progress: Any = None) -> None:
        send(self, source, target, progress)
        if target.endswith(".onnx"):
            Path(target).write_bytes(b"no model")

    monkeypatch.setattr(Channel, "put", damaged)
    with pytest.raises(TargetError, match=r"shelf cannot run the model: .*\.$"):
        evaluation.evaluate(asked(digits), job)
    assert Channel.closed == before + 1
    assert [path.name for path in shelf.root.iterdir()] == ["env"]


def fewer(found: list[tuple[str, dict[str, Any]]], path: Path) -> None:
    rewritten(path, found[:-1])


def other_names(found: list[tuple[str, dict[str, Any]]], path: Path) -> None:
    rewritten(path, [(name, {"z": array}) for name, each in found for array in each.values()])


def packed(found: list[tuple[str, dict[str, Any]]], path: Path) -> None:
    with answers.zipfile.ZipFile(path, "w", answers.zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0000000/y.npy", bytes(1 << 20))


def objects(found: list[tuple[str, dict[str, Any]]], path: Path) -> None:
    """A pickle that would say so if it ran."""
    array = numpy.empty(1, dtype=object)
    array[0] = Path
    with answers.zipfile.ZipFile(path, "w") as archive, archive.open("0/y.npy", "w") as member:
        numpy.lib.format.write_array(member, array, allow_pickle=True)


def garbage(found: list[tuple[str, dict[str, Any]]], path: Path) -> None:
    path.write_bytes(b"PK garbage")


def rewritten(path: Path, found: list[tuple[str, dict[str, Any]]]) -> None:
    with answers.zipfile.ZipFile(path, "w") as archive:
        for name, arrays in found:
            answers.write(archive, name, arrays)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (fewer, "shelf has answered fewer samples than it was given"),
        (other_names, "answer has no output"),
        (packed, "What shelf has answered cannot be read: it is packed"),
        (objects, "What shelf has answered cannot be read: .*pickle"),
        (garbage, "What shelf has answered cannot be read"),
    ],
)
def test_answers_that_are_none_are_one_sentence(
    digits: VariantRecord,
    job: FakeJob,
    shelf: Connector,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Any,
    sentence: str,
) -> None:
    def get(self: Channel, source: str, target: Path) -> None:
        spoil(list(answers.samples(source)), target)

    monkeypatch.setattr(Channel, "get", get)
    with pytest.raises(TargetError, match=sentence):
        evaluation.evaluate(asked(digits), job)
    assert [path.name for path in shelf.root.iterdir()] == ["env"]


def test_no_labels_is_said_before_anything_is_sent(
    digits: VariantRecord, job: FakeJob, shelf: Connector
) -> None:
    with pytest.raises(StudioError, match="No metric fits this data"):
        evaluation.evaluate(asked(digits, CALIBRATION), job)
    assert shelf.channel.sent == []


def pack(path: Path, *samples: dict[str, Any]) -> Path:
    with answers.zipfile.ZipFile(path, "w") as archive:
        for index, arrays in enumerate(samples):
            answers.write(archive, f"{index:07}", arrays)
    return path


def request(folder: Path, samples: Path) -> dict[str, Any]:
    model, out = DIGITS / "digits.onnx", folder / "out.zip"
    paths = {"runner": RUNNER, "model": model, "samples": samples, "outputs": out}
    return {key: str(path) for key, path in paths.items()}


def test_samples_come_back_as_they_went(tmp_path: Path) -> None:
    one = {"a b": numpy.arange(6).reshape(2, 3), "file": numpy.array(["é", "x"])}
    other = {"a b": numpy.zeros((0, 3), "float16"), "file": numpy.array([True])}
    found = list(answers.samples(str(pack(tmp_path / "s.zip", one, other))))
    assert [name for name, _ in found] == ["0000000", "0000001"]
    for sent, (_, back) in zip((one, other), found, strict=True):
        assert all((back[key] == sent[key]).all() for key in sent)
        assert all(back[key].dtype == sent[key].dtype for key in sent)


def test_a_sample_without_an_input_is_refused(tmp_path: Path) -> None:
    samples = pack(tmp_path / "s.zip", {"picture": numpy.zeros((1, 1, 8, 8), "float32")})
    done = subprocess.run(
        [sys.executable, "-m", "studio.runtime", "answers"],
        input=json.dumps(request(tmp_path, samples)),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert json.loads(done.stdout) == {"error": "Sample 0000000 has no input 'image'."}


@pytest.fixture
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    with Network() as network, Board(network, tmp_path_factory.mktemp("board")) as board:
        yield board


@pytest.mark.rig
@pytest.mark.slow
@pytest.mark.needs("sshd", "ip", "unshare", "nsenter")
def test_a_real_board_evaluates_the_same_file(board: Board, studio_home: Path) -> None:
    """By the environment that a deployment brought to it."""
    registry = Registry.open(Paths.of().registry)
    registry.add_target(board.spec())
    registry.close()
    program = Path(sys.executable).with_name("studio")

    def studio(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *words, "--target", "board", "--json"],
            capture_output=True,
            text=True,
            timeout=300,
            env=dict(os.environ, EDGEWRIGHT_HOME=str(studio_home)),
            check=False,
        )

    evaluate = ("evaluate", str(DIGITS / "digits.onnx"), "--data", str(HELDOUT), "--samples", "80")
    bare = studio(*evaluate)
    assert bare.returncode == 1
    assert "its python3 lacks numpy and onnxruntime" in bare.stderr
    assert studio("deploy", str(DIGITS / "digits.onnx")).returncode == 0
    done = studio(*evaluate)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["target"]["name"] == "board"
    assert result["target"]["value"] == result["metric"]["value"] >= 0.97
    left = board.run("sh", "-c", "find /root /var/lib -name 'evaluate-*' 2>/dev/null || true")
    assert left.strip() == ""
