"""What boards tell of themselves, from trees of files as they have them."""

import json
from pathlib import Path

import pytest

from studio.documents.dataclass_json import to_json
from studio.runtime.bench.facts import PowerMode
from studio.runtime.bench.machine import board
from studio.runtime.bench.machine.environment import at_the_end, environment
from studio.runtime.bench.machine.rails import find_rails

CASES = json.loads((Path(__file__).parent / "boards" / "cases.json").read_text("utf-8"))


def plant(folder, files):
    """Write the files of a case; returns the folder as the runtime takes roots."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return str(folder)


@pytest.mark.parametrize("name", CASES)
def test_a_board_is_recorded(name, tmp_path):
    found = to_json(environment(plant(tmp_path, CASES[name]["files"])))
    expected = CASES[name]["expected"]
    assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize("name", CASES)
def test_the_rail_that_feeds_the_whole_board_is_found(name, tmp_path):
    rail = find_rails(plant(tmp_path, CASES[name]["files"])).whole
    if CASES[name]["whole"] is None:
        assert rail is None
    else:
        source, title, watts = CASES[name]["whole"]
        assert (rail.source, rail.name) == (source, title)
        assert rail.read() == pytest.approx(watts)


def test_nothing_is_told_of_an_empty_machine(tmp_path):
    found = environment(str(tmp_path))
    for key in ("jetson", "power_mode", "throttle", "supply", "turbo", "virtual", "cpu_quota"):
        assert getattr(found, key) is None
    assert found.zones == found.accelerators == found.governors == ()
    assert "no INA3221, hwmon power, RAPL, battery or PMIC" in find_rails(str(tmp_path)).why_none


def test_the_end_tells_what_may_have_changed(tmp_path):
    root = plant(tmp_path, CASES["raspberry-pi-4-hot"]["files"])
    flags = tmp_path / "sys/devices/platform/soc/soc:firmware/get_throttled"
    flags.write_text("80000\n")
    found = at_the_end(root)
    assert found.throttle.now == ()
    assert found.throttle.since_start == ("soft temperature limit",)
    assert found.zones[0].celsius == 83.7


@pytest.mark.parametrize(
    ("text", "now", "since"),
    [
        ("throttled=0x0", [], []),
        ("throttled=0x50005", ["under-voltage", "throttled"], ["under-voltage", "throttled"]),
        ("0x80008\n", ["soft temperature limit"], ["soft temperature limit"]),
        ("20000", [], ["clock capped"]),
    ],
)
def test_the_flags_of_a_raspberry_pi(text, now, since):
    found = board.throttled_bits(text)
    assert (list(found.now), list(found.since_start)) == (now, since)


@pytest.mark.parametrize("text", ["", "VCHI initialization failed", "throttled=", "0xg"])
def test_what_are_no_flags(text):
    assert board.throttled_bits(text) is None


def test_a_mode_without_a_name_is_told_by_its_number():
    assert board.power_mode("pmode:0003", "") == PowerMode(3, None)
    assert board.power_mode("damaged", "< POWER_MODEL ID=0 NAME=MAXN >") is None


@pytest.mark.parametrize(
    ("text", "cores"), [("max 100000", None), ("50000 100000", 0.5), ("", None)]
)
def test_a_quota(text, cores):
    assert board.quota(text) == cores


def test_files_that_hold_nonsense_are_no_error(tmp_path):
    files = dict.fromkeys(CASES["jetson-orin-nano"]["files"], "\xff what?")
    found = environment(plant(tmp_path, files))
    assert found.power_mode is None
    assert found.zones == ()
    assert found.energy_sensors == ()
