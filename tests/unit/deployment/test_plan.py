"""Plans: what is checked and sent, compared with what a target has; nothing is asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from studio.api import Refused, TargetError, TargetFacts
from studio.deployment.inventory import Inventory, history, parse
from studio.deployment.plan import Plan, make_plan
from studio.deployment.wheels import Wheel, WheelSet
from studio.packages import Bundle, ZipApplication
from tests.rigs.bundles import make_bundle

FACTS = TargetFacts(
    name="pi",
    url="ssh://pi",
    arch="aarch64",
    python="3.11.2",
    memory_mb=4000,
    disk_free_mb=1000,
    root="/home/pi/.edgewright",
)
RUNTIME = ZipApplication(Path("edgewright.pyz"), "f" * 64, 100_000)
WHEELS = WheelSet(
    (
        Wheel(Path("numpy-2.0-cp311-cp311-x.whl"), "e" * 64, 5_000_000, 10_000_000),
        Wheel(Path("onnxruntime-1.19.2-cp311-cp311-x.whl"), "d" * 64, 10_000_000, 30_000_000),
    )
)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return make_bundle(tmp_path_factory.mktemp("bundle"), 5)


def states(plan: Plan) -> dict[str, str]:
    return {row["name"]: row["state"] for row in plan.rows()}


def test_a_new_board_gets_everything(bundle: Bundle) -> None:
    plan = make_plan(FACTS, Inventory(), bundle, RUNTIME, WHEELS)
    plan.require()
    files = sum(file.size for file in bundle.files)
    assert plan.bytes_to_send == files + 15_000_000 + 100_000 == plan.bytes_total
    assert set(states(plan).values()) == {"checked", "planned"}


def test_only_what_lacks_is_sent(bundle: Bundle) -> None:
    found = Inventory(
        blobs=frozenset(file.digest for file in bundle.files if file.name != "model.onnx"),
        runtimes=frozenset({f"{RUNTIME.digest}.pyz"}),
        environments=frozenset({WHEELS.digest}),
        state={"current": "a" * 64, "counter": 4},
    )
    plan = make_plan(FACTS, found, bundle, RUNTIME, WHEELS)
    assert [transfer.name for transfer in plan.transfers] == ["model.onnx"]
    assert states(plan)["environment"] == "skipped"
    assert not plan.sends_runtime


def test_what_is_served_already_needs_nothing(bundle: Bundle) -> None:
    found = Inventory(
        blobs=frozenset(file.digest for file in bundle.files),
        runtimes=frozenset({f"{RUNTIME.digest}.pyz"}),
        state={"current": bundle.digest, "counter": 5},
    )
    plan = make_plan(FACTS, found, bundle, RUNTIME, None)
    plan.require()
    assert plan.bytes_to_send == 0
    assert plan.unchanged
    assert states(plan)["switch"] == "skipped"


def test_a_disk_without_room_stops_it(bundle: Bundle) -> None:
    plan = make_plan(replace(FACTS, disk_free_mb=40), Inventory(), bundle, RUNTIME, WHEELS)
    with pytest.raises(TargetError, match="needs 60 MB, and 42 MB is free in /home/pi"):
        plan.require()
    assert states(plan)["disk"] == "blocked"


def test_an_older_version_is_refused_for_safety(bundle: Bundle) -> None:
    found = Inventory(state={"current": "a" * 64, "counter": 6})
    plan = make_plan(FACTS, found, bundle, RUNTIME, None)
    with pytest.raises(Refused, match="Version 5 of cnn is older") as caught:
        plan.require()
    assert "rollback" in caught.value.hint


def test_little_memory_and_a_wrong_clock_are_warnings(bundle: Bundle) -> None:
    facts = replace(FACTS, memory_mb=64, clock_skew_s=-5e8)
    plan = make_plan(facts, Inventory(), bundle, RUNTIME, None)
    plan.require()
    assert states(plan)["memory"] == "warning"
    assert states(plan)["clock"] == "warning"


def test_an_inventory_and_its_history() -> None:
    text = (
        "blobs/aa\nblobs/bb\nruntime/f.pyz\nenv/e\nreleases/r2\nreleases/r2.json\nstate\n"
        '{"current": "r2", "counter": 2, "history": ['
        '{"release": "r1", "version": 1, "state": "active", "at": 0},'
        '{"release": "r2", "version": 2, "state": "active", "at": 1},'
        '{"release": "r3", "version": 3, "state": "failed", "at": 2, "reason": "why"},'
        '{"release": "r2", "version": 2, "state": "active", "at": 3}]}'
    )
    found = parse(text)
    assert found.blobs == {"aa", "bb"}
    assert (found.current, found.counter) == ("r2", 2)
    rows = history(found)
    assert [(row["version"], row["state"]) for row in rows] == [
        (2, "serving"),
        (3, "failed"),
        (2, "replaced"),
        (1, "replaced"),
    ]
    assert rows[1]["reason"] == "why"
    assert rows[3]["at"] == "1970-01-01T00:00:00+00:00"
    assert [row["kept"] for row in rows] == [True, False, True, False]


@pytest.mark.parametrize("text", ["", "state\n", "state\n{", "state\n[]", "blobs/x\n"])
def test_an_empty_or_damaged_target(text: str) -> None:
    found = parse(text)
    assert found.current == ""
    assert history(found) == []


def test_a_model_that_is_too_new_for_the_runtime_is_refused_before_anything(bundle: Bundle) -> None:
    raw = {**bundle.raw, "model": {**bundle.raw["model"], "opset": {"": 26}}}
    new = replace(bundle, raw=raw)
    plan = make_plan(FACTS, Inventory(), new, RUNTIME, WHEELS)
    assert states(plan)["runtime"] == "blocked"
    with pytest.raises(TargetError, match=r"operator set 26; ONNX Runtime 1\.19 loads up to 21"):
        plan.require()
    own = replace(FACTS, runtimes={"onnxruntime": "1.32.0", "numpy": "2.0"})
    make_plan(own, Inventory(), new, RUNTIME, None).require()
    unknown = make_plan(FACTS, Inventory(), new, RUNTIME, None)
    assert states(unknown)["runtime"] == "warning"
