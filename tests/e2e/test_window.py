"""The window, in its own process on a virtual screen, driven by the keyboard as a person would."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from studio.gui.session_state import recall
from studio.settings import Paths, Settings
from tests.e2e.conftest import Studio
from tests.e2e.person import Person, names, place_of, released
from tests.e2e.person import person as person
from tests.e2e.person import screen as screen
from tests.e2e.screen import wait_for
from tests.rigs.boards import Board, Network

pytestmark = [pytest.mark.rig, pytest.mark.needs("Xvfb", "xdotool")]


def test_the_main_job(person: Person, studio: Studio, digits: Path) -> None:
    person.open(digits / "digits.onnx")
    wait_for(lambda: names(person) == ["fp32"], "the model was not opened")
    person.look("model")

    person.command("Go to Optimize")
    person.command("Optimize the current variant")  # its data was found beside it
    wait_for(lambda: person.registry.runs("quantize"), "it was not quantized")
    assert names(person) == ["fp32", "int8"]
    made = person.registry.runs("quantize")[0].result
    assert made["metric"]["before"] - made["metric"]["after"] <= 0.01
    person.look("quantize")
    person.command("Use the selected variant")
    wait_for(lambda: current(studio) == made["variant"], "The variant was discarded")

    person.command("Go to Profile")
    person.command("Profile the selected variants")
    wait_for(lambda: person.registry.runs("profile"), "it was not profiled", seconds=180)
    (verdict,) = person.registry.runs("profile")[0].result["verdicts"]
    assert verdict["low"] <= verdict["ratio"] <= verdict["high"]
    person.look("profile")

    person.command("Go to Deploy")
    person.command("Deploy to the selected target")
    wait_for(released(person), "it was not deployed", seconds=180)
    person.look("deploy")

    person.command("Go to Monitor")
    quiet = person.screen.pixels()
    assert studio.ok("call", "--requests", "50")["failed"] == 0
    wait_for(lambda: person.screen.pixels() != quiet, "the live view does not move")
    person.look("monitor")

    assert person.leave() == "", "something was written to standard error"


@pytest.mark.long
def test_an_opened_model_is_served_in_two_clicks(
    person: Person, studio: Studio, digits: Path, tmp_path: Path
) -> None:
    """With the labels and the preprocessing from its folder, which nobody has named."""
    model = digits / "digits.onnx"
    places = (
        place_of("Deploy: nothing yet", person, tmp_path, model),
        place_of("Deploy to this computer", person, tmp_path, model, "deploy"),
    )
    person.open(model)
    wait_for(lambda: names(person) == ["fp32"], "the model was not opened")
    person.screen.settle()
    began = time.monotonic()
    for place in places:
        person.screen.click(*place)
        person.screen.settle()
    wait_for(released(person), "it was not deployed", seconds=180)
    print(f"served {time.monotonic() - began:.1f} s after the first click")
    person.look("served")
    (version,) = person.registry.versions()
    assert (version.path / "labels.txt").read_text().split() == list("0123456789")
    assert (version.path / "preprocess.toml").exists()
    assert studio.ok("call", "--requests", "5")["failed"] == 0
    assert person.leave() == ""


def test_an_opened_model_is_optimized_profiled_and_served_by_one_click(
    person: Person, studio: Studio, digits: Path, tmp_path: Path
) -> None:
    model = digits / "digits.onnx"
    place = place_of("Run it all", person, tmp_path, model, "project")
    person.open(model)
    wait_for(lambda: names(person) == ["fp32"], "the model was not opened")
    person.screen.settle()
    began = time.monotonic()
    person.screen.click(*place)
    wait_for(released(person), "it was not deployed", seconds=180)
    print(f"served {time.monotonic() - began:.1f} s after the click")
    person.look("ran")
    assert names(person) == ["fp32", "int8"]
    (verdict,) = person.registry.runs("profile")[0].result["verdicts"]
    assert verdict["low"] <= verdict["ratio"] <= verdict["high"]
    (version,) = person.registry.versions()
    assert (version.path / "preprocess.toml").exists()
    assert studio.ok("call", "--requests", "5")["failed"] == 0
    assert person.leave() == ""


@pytest.mark.parametrize("profile", range(int(os.environ.get("FRESH_PROFILES", "1"))))
def test_the_first_click_in_a_fresh_profile_opens_a_sample(
    person: Person, studio: Studio, tmp_path: Path, profile: int
) -> None:
    samples = studio.home / "edgewright" / "data" / "samples"
    assert not any(samples.glob("*"))
    person.screen.settle()
    person.screen.click(*place_of("Open the sample Handwritten digits", person, tmp_path))
    wait_for(lambda: names(person) == ["fp32"], "the sample was not opened by the first click")
    person.look("first-click")
    assert person.leave() == ""


def test_what_cannot_be_opened_leaves_the_window_alive(
    person: Person, digits: Path, tmp_path: Path
) -> None:
    for name, content in (
        ("empty", b""),
        ("letter", b"Dear model,\n" * 50),
        ("noise", b"\x08" * 999),
    ):
        bad = tmp_path / f"{name}.onnx"
        bad.write_bytes(content)
        before = person.screen.settle()
        person.open(bad)
        person.screen.changes(before)
        person.look(name)
    assert names(person) == []
    person.open(digits / "digits.onnx")
    wait_for(lambda: names(person) == ["fp32"], "the window does not open models any more")
    assert person.leave() == ""


@pytest.mark.needs("sshd", "ip", "unshare", "ssh-keygen")
def test_a_board_is_added_after_its_key_was_compared(
    person: Person, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Network() as network, Board(network, tmp_path_factory.mktemp("board")) as board:
        person.command("Go to Targets")
        for text in ("roof", board.url):
            person.screen.type(text)
            person.screen.press("Tab")
        person.screen.type(str(board.key_file))
        before = person.screen.pixels()
        person.screen.press("Return")
        wait_for(lambda: added(person), "the board was not added")
        person.screen.changes(before)
        person.look("first-contact")
        assert person.registry.target("roof").host_key == "", "trusted without being asked"
        # The panel has the keyboard: tick "compared", then press "Trust this key".
        person.screen.press("space", "Tab", "space")
        wait_for(lambda: person.registry.facts("roof"), "the board was not looked at")
        assert person.registry.target("roof").host_key == board.host_key
        person.look("board")
    assert person.leave() == ""


def added(person: Person) -> bool:
    return any(target.name == "roof" for target in person.registry.targets())


def current(studio: Studio) -> object:
    """The number of the variant that the window remembers."""
    paths = Paths.of(home=studio.home / "edgewright")
    return recall(Settings(paths.settings)).get("variant")
