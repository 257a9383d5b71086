"""Bad input by the command line: one sentence, the right exit code, the registry intact."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.jobs.memory import share_mb
from tests.e2e.conftest import STUDIO, Studio, interruptible

pytestmark = pytest.mark.slow

Make = Callable[[Path], Path]


def written(name: str, content: bytes) -> Make:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content)
        return path

    return make


def cut_off(folder: Path) -> Path:
    path = model(folder)
    path.write_bytes(path.read_bytes()[:-200])
    return path


def model(folder: Path, location: str = "") -> Path:
    """A matrix product, its weights inside or in an external file."""
    weights = numpy_helper.from_array(numpy.ones((16, 16), numpy.float32), "w")
    if location:
        weights.ClearField("raw_data")
        weights.data_location = TensorProto.EXTERNAL
        for key, value in (("location", location), ("length", "1024")):
            entry = weights.external_data.add()
            entry.key, entry.value = key, value
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [value("x", TensorProto.FLOAT, [1, 16])],
        [value("y", TensorProto.FLOAT, [1, 16])],
        [weights],
    )
    return saved(graph, folder)


def saved(graph: onnx.GraphProto, folder: Path) -> Path:
    path = folder / "model.onnx"
    opset = helper.make_opsetid("", 17)
    path.write_bytes(
        helper.make_model(graph, opset_imports=[opset], ir_version=8).SerializeToString()
    )
    return path


def missing_data(folder: Path) -> Path:
    return model(folder, "weights.bin")


def data_outside(folder: Path) -> Path:
    (folder.parent / "weights.bin").write_bytes(bytes(1024))
    return model(folder, "../weights.bin")


def data_hard_linked(folder: Path) -> Path:
    secret = folder.parent / "secret"
    secret.write_bytes(bytes(1024))
    os.link(secret, folder / "weights.bin")
    return model(folder, "weights.bin")


@pytest.mark.parametrize(
    ("make", "code", "words"),
    [
        (written("m.onnx", b""), 1, "empty"),
        (written("m.onnx", bytes(range(256)) * 20), 1, "model"),
        (written("m.onnx", b"Dear reader, this is no model.\n" * 9), 1, "text"),
        (cut_off, 1, "cut off"),
        (missing_data, 1, "weights.bin"),
        (data_outside, 4, "weights.bin"),
        (data_hard_linked, 4, "weights.bin"),
    ],
    ids=["empty", "garbage", "text", "truncated", "no data", "data outside", "hard link"],
)
def test_files_that_cannot_be_trusted(
    studio: Studio, tmp_path: Path, make: Make, code: int, words: str
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    ended = studio.run("quantize", make(folder), "--method", "fp16", "--json")
    assert ended.code == code, ended.err
    assert words in ended.json["error"]["message"].lower()
    assert_calm(studio, ended.err)


def test_a_chain_of_100_000_nodes_opens(studio: Studio, tmp_path: Path) -> None:
    count = 100_000
    nodes = [helper.make_node("Relu", [f"v{i}"], [f"v{i + 1}"]) for i in range(count)]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "chain",
        [value("v0", TensorProto.FLOAT, [1, 4])],
        [value(f"v{count}", TensorProto.FLOAT, [1, 4])],
    )
    assert studio.ok("inspect", saved(graph, tmp_path))["nodes"] == count


def test_a_loop_that_never_ends(studio: Studio, tmp_path: Path) -> None:
    endless = saved(endless_loop(), tmp_path)
    assert studio.run("inspect", endless).code == 0
    # Each of the others waits so long and fails then; a busy machine changes nothing in that.
    config = studio.home / "edgewright" / "config"
    config.mkdir(parents=True, exist_ok=True)
    (config / "settings.json").write_text(json.dumps({"patience_s": 2}))
    data = tmp_path / "x.npz"
    numpy.savez(data, x=numpy.zeros((4, 4), numpy.float32))
    for command in (
        ("quantize", endless, "--data", data),
        ("profile", endless),
        ("deploy", endless),
    ):
        ended = studio.run(*command)
        assert ended.code == 1
        assert "no progress for" in ended.err
    assert_calm(studio, ended.err)


def endless_loop() -> onnx.GraphProto:
    value = helper.make_tensor_value_info
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Sin", ["a"], ["b"]),
        ],
        "body",
        [
            value("i", TensorProto.INT64, []),
            value("go", TensorProto.BOOL, []),
            value("a", TensorProto.FLOAT, [1, 4]),
        ],
        [value("go_on", TensorProto.BOOL, []), value("b", TensorProto.FLOAT, [1, 4])],
    )
    return helper.make_graph(
        [
            helper.make_node("Loop", ["n", "yes", "x"], ["y"], body=body),
            helper.make_node("MatMul", ["y", "w"], ["z"]),
        ],
        "endless",
        [value("x", TensorProto.FLOAT, [1, 4])],
        [value("z", TensorProto.FLOAT, [1, 4])],
        [
            numpy_helper.from_array(numpy.array(2**60), "n"),
            numpy_helper.from_array(numpy.array(True), "yes"),
            numpy_helper.from_array(numpy.eye(4, dtype=numpy.float32), "w"),
        ],
    )


def test_calibration_data_of_the_wrong_shape(studio: Studio, digits: Path, tmp_path: Path) -> None:
    data = tmp_path / "wrong.npz"
    numpy.savez(data, image=numpy.zeros((4, 3, 9, 9), numpy.float32))
    ended = studio.run("quantize", digits / "digits.onnx", "--data", data)
    assert ended.code == 1
    assert "image" in ended.err
    assert "9" in ended.err
    assert_calm(studio, ended.err)


def test_a_worker_that_is_killed_in_the_middle(studio: Studio, digits: Path) -> None:
    process = long_profile(studio, digits)
    os.kill(profiling_worker(studio), signal.SIGKILL)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "SIGKILL" in errors
    assert_calm(studio, errors)


def test_ctrl_c_ends_the_worker_too(studio: Studio, digits: Path) -> None:
    process = long_profile(studio, digits)
    worker = profiling_worker(studio)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Cancelled" in errors
    assert not Path(f"/proc/{worker}").exists()
    assert_calm(studio, errors)


def long_profile(studio: Studio, digits: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [str(STUDIO), "profile", str(digits / "digits.onnx"), "--seconds", "60"],
        env=studio.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=interruptible,
    )


def profiling_worker(studio: Studio) -> int:
    """The process that does the profile job: it alone has the bench as its child."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_bytes()
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                mine = str(studio.home).encode() in (folder / "environ").read_bytes()
            except (OSError, IndexError):
                continue
            if mine and b"bench" in command and parent > 1:
                return parent
        time.sleep(0.05)
    raise AssertionError("no profile job was seen")


def assert_calm(studio: Studio, errors: str) -> None:
    """No traceback, no rubbish, and the registry still answers."""
    assert "Traceback" not in errors
    jobs = studio.home / "edgewright" / "data" / "jobs"
    assert not jobs.exists() or list(jobs.iterdir()) == []
    assert studio.ok("target", "list")[0]["name"] == "local"


def test_a_small_file_that_wants_more_memory_than_the_machine_has_to_give(
    studio: Studio, tmp_path: Path
) -> None:
    """69 bytes: a constant that is larger than what a process of a worker may take."""
    values = int(share_mb() * 1.2) * (1 << 20) // 4
    size = numpy_helper.from_array(numpy.array([values], numpy.int64), "size")
    graph = helper.make_graph(
        [helper.make_node("ConstantOfShape", ["size"], ["y"])],
        "g",
        [],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None])],
        [size],
    )
    path = saved(graph, tmp_path)
    ended = studio.run("profile", path, "--seconds", "0.2", "--rounds", "3")
    assert ended.code == 1
    assert "Out of memory." in ended.err


def test_functions_that_double_are_refused_before_a_profile_unfolds_them(
    studio: Studio, tmp_path: Path
) -> None:
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("d", 1)]
    functions = []
    for level in range(60):
        name, domain = (f"f{level - 1}", "d") if level else ("Relu", "")
        body = [
            helper.make_node(name, [read], [made], domain=domain)
            for read, made in (("a", "b"), ("b", "c"))
        ]
        functions.append(helper.make_function("d", f"f{level}", ["a"], ["c"], body, opsets))
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("f59", ["x"], ["y"], domain="d")],
        "g",
        [value("x", TensorProto.FLOAT, [1])],
        [value("y", TensorProto.FLOAT, [1])],
    )
    proto = helper.make_model(graph, functions=functions, opset_imports=opsets, ir_version=9)
    path = tmp_path / "double.onnx"
    path.write_bytes(proto.SerializeToString())
    for command in ("inspect", "profile"):
        ended = studio.run(command, path)
        assert ended.code != 0
        assert "functions that unfold to more than" in ended.err
