"""How a model is run, found by name, and swapped; how it is loaded from a bundle."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from studio.runtime.serve.engine.repository import Repository
from studio.runtime.serve.engine.served_model import Execution, load, plan_execution
from studio.runtime.serve.engine.session import invented_feeds
from studio.runtime.serve.engine.source import from_bundle, from_file
from studio.runtime.serve.http.message import HttpError
from studio.runtime.serve.release_root import current_release
from studio.runtime.shared.errors import LoadError
from tests.unit.runtime.serve import rig


@pytest.mark.parametrize(
    ("seconds", "cores", "threads", "expected"),
    [
        (0.0001, 4, 0, Execution(1, 4, True)),
        (0.005, 4, 0, Execution(1, 4, False)),
        (0.5, 4, 0, Execution(4, 1, False)),
        (0.005, 4, 2, Execution(2, 2, False)),
        (0.0001, 1, 3, Execution(3, 1, True, 0.005)),
        (0.004, 1, 0, Execution(1, 1, True, 0.005)),
        (0.006, 1, 0, Execution(1, 1, False, 0.005)),
        (None, 2, 0, Execution(1, 2, False)),
    ],
)
def test_execution_follows_the_measured_latency(
    seconds: float | None, cores: int, threads: int, expected: Execution
) -> None:
    assert plan_execution(seconds, cores, threads) == expected


def test_a_model_leaves_the_event_loop_when_it_turns_out_slow(tmp_path: Path) -> None:
    model = load(from_file(rig.constant(tmp_path / "a.onnx", 1.0)), 1)
    assert model.inline
    model.observe(0.0001)
    assert model.inline
    model.observe(0.05)
    assert not model.inline
    for _ in range(100):
        model.observe(0.0001)
    assert model.inline


def test_processor_time_is_taken_only_of_a_model_that_seems_slow(tmp_path: Path) -> None:
    model = load(from_file(rig.constant(tmp_path / "a.onnx", 1.0)), 1)
    feeds = invented_feeds(model.inputs)
    model.observe(1e-5)
    model.session.run(feeds, list(model.outputs))
    assert model.session.busy_s == math.inf
    for _ in range(50):
        model.observe(1.0)
    model.session.run(feeds, list(model.outputs))
    busy_s = model.session.busy_s
    assert 0.0 <= busy_s < 1.0
    for _ in range(200):
        model.observe(busy_s)
    assert model.session.busy_s == math.inf


@pytest.mark.parametrize(("inline", "taken"), [(True, 8), (False, 2)])
def test_threads_share_what_waits_and_the_event_loop_takes_all(
    tmp_path: Path, inline: bool, taken: int
) -> None:
    model = load(from_file(rig.constant(tmp_path / "a.onnx", 1.0)), 1)
    model.execution = model.execution._replace(workers=4)
    model.batch_rows = 32
    model.inline = inline
    model.waiting.extend(range(8))  # type: ignore[arg-type]  # it does not look at them
    assert len(model.next_batch()) == taken


def test_the_newest_version_answers_unless_one_is_named(tmp_path: Path) -> None:
    repository = Repository()
    made = []
    for version in (9, 10):
        model = rig.constant(tmp_path / f"{version}.onnx", version)
        made.append(load(from_bundle(rig.bundle(tmp_path / "b", model, version)), 1))
    repository.replace(made)
    assert repository.find("answer").version == "10"
    assert repository.find("answer", "9").version == "9"
    assert repository.versions("answer") == ["9", "10"]
    with pytest.raises(HttpError, match="no version '8'"):
        repository.find("answer", "8")
    with pytest.raises(HttpError, match="no model 'question'"):
        repository.find("question")


def test_the_root_names_the_current_bundle(tmp_path: Path) -> None:
    release = rig.bundle(tmp_path / "releases", rig.constant(tmp_path / "a.onnx", 1.0), 3)
    rig.switch(tmp_path, release)
    current = current_release(tmp_path)
    assert current is not None
    source = from_bundle(current)
    assert (source.name, source.version, source.precision) == ("answer", "3", "fp32")
    assert source.digest == release.name
    assert source.path.read_bytes() == (tmp_path / "a.onnx").read_bytes()


@pytest.mark.parametrize(
    ("manifest", "sentence"),
    [
        (None, "is not a bundle"),
        (b"{", "is damaged"),
        (b"[]", "is damaged"),
        (b"{}", "is incomplete"),
        (b'{"name":"a","version":1,"model":{"file":"../other.onnx"}}', "lacks its model"),
        (b'{"name":"a","version":1,"model":{"file":"/etc/passwd"}}', "lacks its model"),
        (b'{"name":"a","version":1,"model":{"file":"none.onnx"}}', "lacks its model"),
        (b'{"name":"a","version":"x","model":{"file":"m.onnx"}}', "is incomplete"),
    ],
)
def test_bundles_that_are_none(tmp_path: Path, manifest: bytes | None, sentence: str) -> None:
    (tmp_path / "other.onnx").write_bytes(b"")
    folder = tmp_path / "bundle"
    folder.mkdir()
    if manifest is not None:
        (folder / "manifest.json").write_bytes(manifest)
    with pytest.raises(LoadError, match=sentence):
        from_bundle(folder)


def test_golden_samples_must_run(tmp_path: Path) -> None:
    release = rig.bundle(tmp_path / "b", rig.constant(tmp_path / "a.onnx", 1.0), 1)
    golden = release / "golden"
    golden.mkdir()
    np.savez(golden / "000.npz", **{"in.x": np.zeros((2, 4), np.float32)})
    assert load(from_bundle(release), 1).warning == ""
    np.savez(golden / "000.npz", **{"in.x": np.zeros((2, 5), np.float32)})
    with pytest.raises(LoadError, match="The golden samples do not run"):
        load(from_bundle(release), 1)


def test_a_model_that_cannot_be_warmed_up_is_served_with_a_warning(tmp_path: Path) -> None:
    helper, types = rig.helper, rig.TensorProto
    path = rig.save_model(
        tmp_path / "picky.onnx",
        [helper.make_node("Reshape", ["x", "s"], ["y"])],
        [helper.make_tensor_value_info("x", types.FLOAT, ["n"])],
        [helper.make_tensor_value_info("y", types.FLOAT, [2, 3])],
        initializer=[rig.numpy_helper.from_array(np.array([2, 3], np.int64), "s")],
    )
    model = load(from_file(path), 1)
    assert "Reshape" in model.warning
    assert model.execution.inline is False


def test_the_baseline_travels_with_the_bundle(tmp_path: Path) -> None:
    release = rig.bundle(tmp_path / "b", rig.constant(tmp_path / "a.onnx", 1.0), 1)
    manifest = json.loads((release / "manifest.json").read_text())
    manifest["baseline"] = "baseline.json"
    (release / "manifest.json").write_text(json.dumps(manifest))
    (release / "baseline.json").write_text('{"latency": {"p99_ms": 4.0}}')
    assert from_bundle(release).baseline == {"p99_ms": 4.0}
    assert from_bundle(release).drift is None


def test_a_damaged_baseline_is_told(tmp_path: Path) -> None:
    release = rig.bundle(tmp_path / "b", rig.constant(tmp_path / "a.onnx", 1.0), 1)
    manifest = json.loads((release / "manifest.json").read_text())
    manifest["baseline"] = "baseline.json"
    (release / "manifest.json").write_text(json.dumps(manifest))
    (release / "baseline.json").write_text("{")
    with pytest.raises(LoadError, match="baseline of the bundle"):
        from_bundle(release)
