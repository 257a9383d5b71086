"""Plans: what is checked and sent, compared with what a target has; nothing is asked."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.api import Refused, TargetError, TargetFacts
from studio.deployment.admission import Request
from studio.deployment.machine.wheels import Wheel, WheelPlatform, WheelSet
from studio.deployment.plan import DeployPlan, make_plan
from studio.documents.dataclass_json import to_json
from studio.packages import Bundle, ZipApplication
from studio.runtime.shared.manifest import canonical
from studio.targets.inventory import SCRIPT, Inventory, history, parse
from tests.rigs.bundles import make_bundle

FACTS = TargetFacts(
    name="pi",
    url="ssh://pi@pi",
    arch="aarch64",
    python="3.11.2",
    memory_mb=4000,
    disk_free_mb=1000,
    root="/home/pi/.edgewright",
    services=("systemd", "systemd-user"),
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


def states(plan: DeployPlan) -> dict[str, str]:
    return {row["name"]: row["state"] for row in to_json(list(plan.steps()))}


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
    found = served("cnn", 6)
    request = Request("ann@desk", "cnn:fp32")
    plan = make_plan(FACTS, found, bundle, RUNTIME, None, request=request)
    with pytest.raises(Refused, match="Version 5 of cnn is older") as caught:
        plan.require()
    assert 'studio deploy cnn:fp32 --target pi --downgrade "REASON"' in caught.value.hint
    kept = replace(found, releases=frozenset({bundle.digest}))
    plan = make_plan(FACTS, kept, bundle, RUNTIME, None, request=request)
    with pytest.raises(Refused) as caught:
        plan.require()
    assert caught.value.hint.endswith("studio rollback --target pi --to 5")
    said = replace(request, downgrade="6 is wrong at night")
    plan = make_plan(FACTS, found, bundle, RUNTIME, None, request=said)
    plan.require()
    assert states(plan)["counter"] == "warning"


def test_the_number_of_another_model_is_in_nobodys_way(bundle: Bundle) -> None:
    meant = Request(replace=True)
    make_plan(FACTS, served("other", 6), bundle, RUNTIME, None, request=meant).require()


def test_another_model_is_replaced_only_when_that_is_said(bundle: Bundle) -> None:
    with pytest.raises(Refused, match="already serves other, not cnn") as refused:
        make_plan(FACTS, served("other", 6), bundle, RUNTIME, None).require()
    assert "--endpoint NAME" in refused.value.hint
    assert "--replace" in refused.value.hint


def served(name: str, counter: int) -> Inventory:
    """A target that serves a release of a model."""
    entry = {"state": "active", "name": name, "counter": counter, "release": "a" * 64}
    return Inventory(state={"current": "a" * 64, "counter": counter, "history": [entry]})


def blocked(facts: TargetFacts, found: Inventory, bundle: Bundle) -> TargetError:
    """What a plan refuses, with what to do."""
    plan = make_plan(facts, found, bundle, RUNTIME, None)
    with pytest.raises(TargetError) as caught:
        plan.require()
    assert caught.value.hint
    assert "blocked" in states(plan).values()
    return caught.value


def test_memory_for_the_old_and_the_new_model_has_to_be_there(bundle: Bundle) -> None:
    little = replace(FACTS, memory_mb=70)
    told = blocked(little, served("cnn", 4), bundle)
    assert "pi has 70 MB of memory" in told.message
    assert "80 MB of it for the server itself" in told.message
    assert "the old and the new model" in told.message
    assert "studio undeploy" in told.hint
    assert "to serve it" in blocked(little, Inventory(), bundle).message


def test_memory_that_others_use_is_a_warning(bundle: Bundle) -> None:
    plan = make_plan(replace(FACTS, memory_free_mb=50), Inventory(), bundle, RUNTIME, None)
    plan.require()
    assert states(plan)["memory"] == "warning"


def test_a_bundle_of_another_backend_is_planned_with_its_package_and_memory(
    tmp_path: Path,
) -> None:
    other = make_bundle(tmp_path, backend="openvino")
    wheels = WheelSet((Wheel(Path("openvino-2026.4.1-x-cp311-x.whl"), "d" * 64, 10, 30),))
    plan = make_plan(FACTS, Inventory(), other, RUNTIME, wheels)
    rows = {row["name"]: row["text"] for row in to_json(list(plan.steps()))}
    assert rows["runtime"] == "OpenVINO 2026.4.1: the probe tests the model"
    assert "160 MB of it for the server itself" in rows["memory"]


def test_a_clock_in_the_past_is_refused_and_one_ahead_is_not(bundle: Bundle) -> None:
    told = blocked(replace(FACTS, clock_skew_s=-3 * 86400), Inventory(), bundle)
    assert "3 days in the past" in told.message
    assert "timedatectl" in told.hint
    plan = make_plan(replace(FACTS, clock_skew_s=5e8), Inventory(), bundle, RUNTIME, None)
    plan.require()
    assert states(plan)["clock"] == "warning"


def test_a_model_that_is_too_new_for_the_boards_runtime(bundle: Bundle) -> None:
    old = replace(FACTS, runtimes={"onnxruntime": "1.10.0"})
    newer = replace(bundle, raw={**bundle.raw, "model": {"opset": {"": 21}, "ir_version": 10}})
    told = blocked(old, Inventory(), newer)
    assert "1.10" in told.message + told.hint


def test_what_the_catalogue_knows_of_a_board_counts_where_nothing_is_installed(
    bundle: Bundle,
) -> None:
    facts = replace(FACTS, board_id="jetson-xavier-nx", image="JetPack 5.1 (L4T R35.4.1)")
    newer = replace(bundle, raw={**bundle.raw, "model": {"opset": {"": 22}, "ir_version": 10}})
    told = blocked(facts, Inventory(), newer)
    assert "1.19" in told.message + told.hint


def test_a_plan_goes_on_where_no_wheels_fit_and_tells_all_that_is_in_the_way(
    bundle: Bundle,
) -> None:
    facts = replace(FACTS, arch="armv7l", disk_free_mb=0)
    with pytest.raises(TargetError, match="onnxruntime has no wheels for armv7l") as caught:
        WheelPlatform.of(replace(facts, glibc="2.36"))
    assert "64-bit" in caught.value.hint
    plan = make_plan(facts, Inventory(), bundle, RUNTIME, None, obstacle=caught.value)
    told = states(plan)
    assert (told["wheels"], told["disk"]) == ("blocked", "blocked")


def test_a_plan_lists_every_file_and_command(bundle: Bundle) -> None:
    plan = make_plan(
        replace(FACTS, python_path="/usr/bin/python3"), Inventory(), bundle, RUNTIME, WHEELS
    )
    rows = {row["name"]: row for row in to_json(list(plan.steps()))}
    files = rows["transfer"]["files"]
    assert sum(file["bytes"] for file in files) == plan.bytes_to_send == rows["transfer"]["bytes"]
    assert files[0]["name"] == "the studio's runtime"
    for name in ("transfer", "environment", "stage", "probe", "switch", "clean"):
        assert "/usr/bin/python3 /home/pi/.edgewright/runtime/" in rows[name]["command"]


def test_what_a_board_complains_of_is_told(bundle: Bundle) -> None:
    facts = replace(FACTS, board="Raspberry Pi 4", notes=("it is throttled now",))
    plan = make_plan(facts, Inventory(), bundle, RUNTIME, None)
    plan.require()
    (row,) = [row for row in to_json(list(plan.steps())) if row["name"] == "board"]
    assert (row["state"], row["text"]) == ("warning", "Raspberry Pi 4: it is throttled now")


def test_a_warning_and_its_hint_are_two_sentences(bundle: Bundle) -> None:
    plan = make_plan(replace(FACTS, services=()), Inventory(), bundle, RUNTIME, None)
    (row,) = [row for row in plan.steps() if row.name == "service"]
    assert "after a reboot. Start it from a boot script" in row.text


@pytest.mark.parametrize(
    ("url", "services", "told"),
    [
        ("ssh://root@pi", ("systemd",), ""),
        ("ssh://pi@pi", ("systemd", "systemd-user"), ""),
        ("ssh://pi@pi", ("systemd",), "sudo loginctl enable-linger pi"),
        ("ssh://pi@pi", (), "has no systemd"),
        ("local:", ("systemd", "systemd-user"), ""),
        ("local:", ("systemd", "systemd-login"), "at the next login"),
        ("local:", ("systemd",), "sudo loginctl enable-linger somebody"),
        ("local:", (), "studio start --target"),
        ("docker:digits", (), ""),
    ],
)
def test_who_starts_it_again_after_a_restart(
    bundle: Bundle,
    url: str,
    services: tuple[str, ...],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOGNAME", "somebody")
    facts = replace(FACTS, url=url, services=services)
    plan = make_plan(facts, Inventory(), bundle, RUNTIME, None)
    plan.require()
    (row,) = [row for row in to_json(list(plan.steps())) if row["name"] == "service"]
    assert row["state"] == ("warning" if told else "checked")
    assert told in row["text"]


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
    assert found.current == "r2"
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


def test_a_target_names_the_packages_of_its_release() -> None:
    text = 'blobs/aa\nneeds={"numpy":">=1.19","onnxruntime":">=1.17"}\nlease=\nstate\n'
    assert parse(text).needs == {"numpy", "onnxruntime"}
    assert parse("needs=\nstate\n").needs == frozenset()
    assert parse("needs=[1]\nstate\n").needs == frozenset()


@pytest.mark.parametrize(
    "runtime",
    [
        {"numpy": ">=1.19", "onnxruntime": ">=1.17"},
        {'x\nstate\n{"current": "evil"}\n': "", "onnxruntime": ""},
        {"\\nstate\\n": "\\c", "onnxruntime": ""},
    ],
)
def test_a_manifest_on_the_target_is_not_taken_for_its_state(
    tmp_path: Path, runtime: dict[str, str]
) -> None:
    """A shell's echo would write an escaped line break of JSON as one."""
    (tmp_path / "current").mkdir()
    manifest = canonical({"name": "m", "runtime": runtime, "version": 1})
    (tmp_path / "current" / "manifest.json").write_bytes(manifest)
    (tmp_path / "state.json").write_text('{"current": "good"}')
    command = ["sh", "-c", SCRIPT, "sh", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    found = parse(done.stdout)
    assert found.current == "good"
    assert found.needs in (set(runtime), set())  # none where a name has a brace


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


def test_the_memory_of_other_endpoints_counts(bundle: Bundle) -> None:
    def row(found: Inventory) -> dict[str, Any]:
        plan = make_plan(replace(FACTS, memory_mb=400), found, bundle, RUNTIME, None)
        return next(one for one in to_json(list(plan.steps())) if one["name"] == "memory")

    assert row(Inventory())["state"] == "checked"
    assert "for another endpoint" in row(Inventory(beside=[10.0]))["text"]
    crowded = row(Inventory(beside=[100.0, 100.0]))
    assert crowded["state"] == "blocked"
    assert "for 2 other endpoints" in crowded["text"]
