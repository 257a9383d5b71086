"""Uncertain requests: kept only where that is allowed, bounded, and without harm to anybody."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from studio.runtime.serve.outputs.recent_answers import Answers
from studio.runtime.serve.quality.uncertain_samples import (
    APART_S,
    EVERY_S,
    PERIOD_S,
    Sampler,
    SampleStore,
    StoredSample,
    follow_samples,
)
from studio.runtime.shared.sampling_config import FILE, FOLDER, SamplingConfig, sampling_for
from tests.rigs.boards import until

DIGEST = "c" * 64
SURE = np.float32([[9.0, 0.0, 0.0]])
TORN = np.float32([[1.0, 0.9, 0.0]])


def arrays(number: int = 0, size: int = 8) -> dict[str, np.ndarray]:
    return {"in.x": np.full(size, number, np.float32)}


def model(root: Path) -> Any:
    """What a sampler needs of a served model."""
    path = root / "releases" / DIGEST / "model.onnx"
    (root / "run").mkdir(parents=True, exist_ok=True)
    source = SimpleNamespace(path=path, digest=DIGEST)
    session = SimpleNamespace(sampler=None, inputs={"x": SimpleNamespace(shape=(-1, 4))})
    return SimpleNamespace(
        source=source,
        session=session,
        sampler=None,
        name="m",
        version="1",
        answers=Answers(("a", "b", "c")),
    )


def allow(root: Path, most: int = 8, room: int = 1 << 20, digest: str = DIGEST) -> None:
    (root / "run" / FILE).write_bytes(SamplingConfig(digest, most, room).content())


class Clock:
    """Seconds that the test lets pass."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_least_certain_stay(tmp_path: Path) -> None:
    store = SampleStore(tmp_path / FOLDER, 3, 1 << 20)
    for number in range(20):
        store.add(number % 10 / 10, str(number), arrays(number))
    assert sorted(one.doubt for one in store.kept) == [0.8, 0.9, 0.9]
    assert len(list((tmp_path / FOLDER).iterdir())) == 3
    assert not store.wants(0.7)


def test_bytes_are_bounded_too(tmp_path: Path) -> None:
    store = SampleStore(tmp_path / FOLDER, 1000, 100_000)
    for number in range(40):
        store.add(number / 100, str(number), arrays(number, 2000))
    held = sum(path.stat().st_size for path in (tmp_path / FOLDER).iterdir())
    assert held <= 100_000
    assert min(one.doubt for one in store.kept) > 0.2
    assert not store.add(1.0, "huge", arrays(0, 100_000))  # nothing else gives way in vain
    assert len(store.kept) > 5


def test_a_new_day_replaces_the_one_before(tmp_path: Path) -> None:
    store = SampleStore(tmp_path / FOLDER, 2, 1 << 20)
    store.add(0.9, "a", arrays())
    store.add(0.8, "b", arrays())
    store.period += 1
    assert store.add(0.1, "c", arrays())
    assert sorted(one.doubt for one in store.kept) == [0.1, 0.9]


def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    store = SampleStore(tmp_path / FOLDER, 2, 1 << 20)
    store.period = 7
    store.add(0.5, "a", arrays())
    (tmp_path / FOLDER / "000007-05000-0.npz.part").write_bytes(b"torn")
    (tmp_path / FOLDER / "notes.txt").write_text("somebody's")
    again = SampleStore(tmp_path / FOLDER, 2, 1 << 20)
    assert (again.period, [one.doubt for one in again.kept]) == (7, [0.5])
    assert not list((tmp_path / FOLDER).glob("*.part"))
    assert (tmp_path / FOLDER / "notes.txt").exists()


def test_only_the_servers_user_may_read_them(tmp_path: Path) -> None:
    store = SampleStore(tmp_path / FOLDER, 2, 1 << 20)
    store.add(0.5, "a", arrays())
    (file,) = (tmp_path / FOLDER).iterdir()
    assert os.stat(tmp_path / FOLDER).st_mode & 0o777 == 0o700
    assert file.stat().st_mode & 0o777 == 0o600


def test_nothing_is_kept_unless_a_deploy_said_so(tmp_path: Path) -> None:
    served = model(tmp_path)
    assert follow_samples(served) is None
    allow(tmp_path, digest="d" * 64)  # of another release
    assert follow_samples(served) is None
    assert served.session.sampler is None
    assert not (tmp_path / "run" / FOLDER).exists()


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"nonsense", b'{"of": 1, "most": "x", "room": 1}']
)
def test_a_note_that_cannot_be_read_allows_nothing(tmp_path: Path, content: bytes) -> None:
    served = model(tmp_path)
    (tmp_path / "run" / FILE).write_bytes(content)
    assert sampling_for(served.source.path, DIGEST) is None


@pytest.mark.parametrize(("most", "room"), [(0, 1), (-1, 1), (10**9, 1), (1, 0)])
def test_numbers_without_sense_allow_nothing(tmp_path: Path, most: int, room: int) -> None:
    served = model(tmp_path)
    allow(tmp_path, most, room)
    assert sampling_for(served.source.path, DIGEST) is None


def test_uncertain_requests_are_kept_with_their_ids(tmp_path: Path) -> None:
    served, clock = model(tmp_path), Clock()
    sampler = Sampler(served, SamplingConfig(DIGEST, 2, 1 << 20), tmp_path / FOLDER, clock)
    for number, answer in enumerate((SURE, TORN, SURE, TORN)):
        inputs = {"x": np.full((2, 4), number, np.float32)}
        sampler.observe(inputs, {"y": np.repeat(answer, 2, axis=0)})
        if number != 3:
            sampler.named(f"frame-{number}", inputs)
        clock.now += 2 * APART_S
        # One that comes while the last is looked at would be passed over.
        until(lambda: sampler._sample is None, "a look", 10.0)
        assert sampler.looked == number + 1
    assert sampler.status()["kept"] == 2
    sampler.end()
    found = {}
    for path in (tmp_path / FOLDER).glob("*.npz"):
        with np.load(path) as content:
            facts = json.loads(content["facts"].tobytes())
            found[facts["id"]] = content["in.x"]
            assert facts["doubt"] > 0.9
    assert set(found) == {"frame-1", next(name for name in found if name.startswith("sample-"))}
    assert found["frame-1"].tolist() == [[1.0] * 4]  # one row of the two
    # What had no id can be labelled by the one that it was given.
    own = next(name for name in found if name.startswith("sample-"))
    assert served.answers.judge({own: "a"}) == {"matched": 1, "right": 1, "unmatched": 0}


def test_neighbours_in_a_film_are_one(tmp_path: Path) -> None:
    clock = Clock()
    sampler = Sampler(model(tmp_path), SamplingConfig(DIGEST, 9, 1 << 20), tmp_path / FOLDER, clock)
    for number in range(5):
        sampler.observe({"x": np.full((1, 4), number, np.float32)}, {"y": TORN})
        until(lambda: sampler._sample is None, "the sample was looked at", 10.0)
        clock.now += APART_S / 4
    sampler.end()
    assert sampler.status()["kept"] == 2


def test_days_are_counted_by_a_clock_that_does_not_jump(tmp_path: Path) -> None:
    clock = Clock()
    sampler = Sampler(model(tmp_path), SamplingConfig(DIGEST, 9, 1 << 20), tmp_path / FOLDER, clock)
    for number in range(2):
        sampler.observe({"x": np.full((1, 4), number, np.float32)}, {"y": TORN})
        until(lambda wanted=number + 1: sampler.status()["kept"] == wanted, "it is kept", 10.0)  # type: ignore[misc]
        clock.now += PERIOD_S
    sampler.end()
    found = [StoredSample.of(path) for path in (tmp_path / FOLDER).iterdir()]
    assert sorted(one.period for one in found if one) == [0, 1]


def test_a_model_without_doubt_says_so_and_is_left_alone(tmp_path: Path) -> None:
    clock = Clock()
    sampler = Sampler(model(tmp_path), SamplingConfig(DIGEST, 9, 1 << 20), tmp_path / FOLDER, clock)
    for number in range(20):
        assert not sampler.status()["fault"]
        sampler.observe({"x": np.ones((1, 4))}, {"y": np.ones((1, 8, 4), np.float32)})
        until(lambda wanted=number + 1: sampler.looked == wanted, "a look", 10.0)  # type: ignore[misc]
        until(lambda: sampler._sample is None, "the sample was looked at", 10.0)
        clock.now += EVERY_S
    assert "nothing tells doubt" in sampler.status()["fault"]
    sampler.observe({"x": np.ones((1, 4))}, {"y": TORN})  # harmless
    sampler.end()


def test_of_a_detector_the_boxes_of_one_request_are_kept_whole(tmp_path: Path) -> None:
    """The first axis of a list of boxes is none of requests."""
    clock = Clock()
    sampler = Sampler(model(tmp_path), SamplingConfig(DIGEST, 9, 1 << 20), tmp_path / FOLDER, clock)
    row = np.float32([[10, 20, 30, 40, 0.9, 1]])
    for number, score in enumerate((0.9, 0.55, 0.97)):
        boxes = np.concatenate([row, row])
        boxes[1, 4] = score
        sampler.observe({"x": np.full((1, 4), number, np.float32)}, {"boxes": boxes})
        until(lambda wanted=number + 1: sampler.status()["kept"] == wanted, "it is kept", 10.0)  # type: ignore[misc]
        until(lambda: sampler._sample is None, "the sample was looked at", 10.0)
        clock.now += 2 * APART_S
    # Of two requests that ran together in one list nobody knows whose is which.
    sampler.observe({"x": np.ones((2, 4), np.float32)}, {"boxes": np.repeat(row, 3, axis=0)})
    assert sampler._sample is None
    assert sampler.status()["kind"] == "boxes"
    sampler.end()
    doubts = {}
    for path in (tmp_path / FOLDER).glob("*.npz"):
        with np.load(path) as content:
            assert content["out.boxes"].shape == (2, 6)
            facts = json.loads(content["facts"].tobytes())
            assert facts["kind"] == "boxes"
            doubts[int(content["in.x"][0, 0])] = facts["doubt"]
    assert doubts[1] > 0.3 > doubts[0] > doubts[2]


def test_a_request_or_an_answer_that_is_too_large_is_said(tmp_path: Path) -> None:
    clock = Clock()
    sampler = Sampler(model(tmp_path), SamplingConfig(DIGEST, 9, 1 << 20), tmp_path / FOLDER, clock)
    sampler.observe({"x": np.ones((1, 4))}, {"y": np.zeros((1, 5, 1024, 1024), np.float32)})
    assert sampler._sample is None
    assert sampler.status()["fault"] == "Requests or answers of 21 MB are not kept."
    clock.now += EVERY_S
    sampler.observe({"x": np.ones((1, 4))}, {"y": TORN})  # one that is not, is
    until(lambda: sampler.status()["kept"] == 1, "a sample", 10.0)
    sampler.end()


def test_a_folder_that_cannot_be_made_is_a_fault_and_no_harm(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("a file")
    sampler = Sampler(model(tmp_path), SamplingConfig(DIGEST, 9, 1 << 20), tmp_path / FOLDER)
    until(lambda: bool(sampler.status()["fault"]), "a fault", 10.0)
    sampler.observe({"x": np.ones((1, 4))}, {"y": TORN})
    assert "cannot be kept" in sampler.status()["fault"]


def test_a_full_disk_loses_samples_and_no_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    sampler = Sampler(model(tmp_path), SamplingConfig(DIGEST, 9, 1 << 20), tmp_path / FOLDER, clock)

    def full(*given: Any, **more: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    sampler.observe({"x": np.ones((1, 4))}, {"y": TORN})
    until(lambda: bool(sampler.status()["fault"]), "a loss", 10.0)
    assert "No space left" in sampler.status()["fault"]
    assert not list((tmp_path / FOLDER).iterdir())
    monkeypatch.undo()
    clock.now += 61.0  # tried again a minute later
    until(lambda: sampler._sample is None, "it is ready", 10.0)
    sampler.observe({"x": np.ones((1, 4))}, {"y": TORN})
    until(lambda: sampler.status()["kept"] == 1, "a sample", 10.0)
    sampler.end()


def test_the_switch_ends_it_at_once(tmp_path: Path) -> None:
    served = model(tmp_path)
    allow(tmp_path)
    sampler = follow_samples(served)
    assert sampler is not None
    assert served.session.sampler is sampler
    assert follow_samples(served) is sampler
    (tmp_path / "run" / FILE).unlink()
    assert follow_samples(served) is None
    assert served.session.sampler is None


def test_a_request_pays_for_a_look_at_a_clock(tmp_path: Path) -> None:
    """Between two looks nothing is copied."""
    clock = Clock()
    sampler = Sampler(model(tmp_path), SamplingConfig(DIGEST, 9, 1 << 20), tmp_path / FOLDER, clock)
    sampler.observe({"x": np.ones((1, 4))}, {"y": SURE})
    until(lambda: sampler.looked == 1 and sampler._sample is None, "a look", 10.0)
    for _ in range(100):
        sampler.observe({"x": np.ones((1, 4))}, {"y": TORN})
    assert sampler._sample is None
    sampler.end()
