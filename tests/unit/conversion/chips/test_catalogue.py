"""The catalogue of chips against the plugins and the formats that it names."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from studio.api import Extension, TargetFacts, TargetSpec, UsageError
from studio.conversion.chips.catalogue import chip_named, chips
from studio.conversion.chips.overview import chip_lines
from studio.conversion.chips.record import with_chip
from studio.conversion.chips.step import CheckOptions
from studio.conversion.targets import TARGETS
from studio.plugin_host import PluginHost
from studio.registry import ModelRef, Registry
from studio.settings.boards import boards


def test_each_chip_has_a_compiler_that_takes_its_format() -> None:
    host = PluginHost.discover()
    compilers = {one.id: one for one in host.all(Extension.COMPILER)}
    assert len(chips(host)) >= 20
    for chip in chips(host).values():
        assert compilers[chip.compiler].takes(chip.format), chip.id
        exported = TARGETS[chip.format].precisions if chip.format in TARGETS else ("",)
        assert chip.precision in exported, chip.id
        assert chip.title, chip.id
        assert chip.source.endswith("."), chip.id


def test_sizes_in_names_are_sorted_as_numbers() -> None:
    names = [name for name in chips(PluginHost.discover()) if name.startswith("ethos-u55")]
    assert names == ["ethos-u55-32", "ethos-u55-64", "ethos-u55-128", "ethos-u55-256"]


def test_an_unknown_chip_has_the_nearest_name() -> None:
    with pytest.raises(UsageError, match="Unknown chip 'ethos-u55-12'; the nearest is 'ethos-u55"):
        chip_named("ethos-u55-12", PluginHost.discover())


def test_chips_of_boards_are_in_the_catalogue() -> None:
    host = PluginHost.discover()
    named = {chip for board in boards() for chip in board.chips}
    assert named
    assert named <= set(chips(host))
    lines = {line.id: line.boards for line in chip_lines(host)}
    assert lines["jetson-orin"] == ("jetson-agx-orin", "jetson-orin-nano", "jetson-orin-nx")


def test_a_board_names_its_chip() -> None:
    assert chip_named("jetson-orin-nano", PluginHost.discover()).id == "jetson-orin"


@pytest.mark.parametrize(
    ("board", "sentence"),
    [
        ("generic-aarch64", "has no accelerator."),
        ("raspberry-pi-5", "No compiler is known for .*, which Raspberry Pi 5.* can have."),
    ],
)
def test_a_board_without_a_known_chip_is_named(board: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as raised:
        chip_named(board, PluginHost.discover())
    assert "studio chips lists" in raised.value.hint


def test_a_target_names_its_board(tmp_path: Path) -> None:
    registry = Registry.open(tmp_path / "registry")
    for name, board in (("robot", "jetson-orin-nx"), ("box", "")):
        registry.add_target(TargetSpec(name, f"ssh://{name}"))
        facts = TargetFacts(name, f"ssh://{name}", arch="aarch64", board_id=board)
        registry.set_facts(name, asdict(facts))
    registry.add_target(TargetSpec("new", "ssh://new"))
    options = CheckOptions(ModelRef("m.onnx", "0", 1, 1, "m", "fp32", "onnx", "fp32"), "robot")
    assert with_chip(registry, options).chip == "jetson-orin-nx"
    assert with_chip(registry, replace(options, chip="nvidia-t4")).chip == "nvidia-t4"
    with pytest.raises(UsageError, match="new was not probed yet"):
        with_chip(registry, replace(options, chip="new"))
    with pytest.raises(UsageError, match="The board of box is of no known type"):
        with_chip(registry, replace(options, chip="box"))
    registry.close()


def test_a_line_has_the_state_of_the_compiler(studio_home: object) -> None:
    host = PluginHost.discover()
    lines = {line.id: line for line in chip_lines(host)}
    assert set(lines) == set(chips(host))
    assert lines["tflite-micro"].compiler == "TFLite Micro"
    assert "not installed yet" in lines["tflite-micro"].state
