"""The catalogue of chips against the plugins and the formats that it names."""

from __future__ import annotations

import pytest

from studio.api import Extension, UsageError
from studio.conversion.chips.catalogue import chip_named, chips
from studio.conversion.chips.overview import chip_lines
from studio.conversion.targets import TARGETS
from studio.plugin_host import PluginHost


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


def test_a_line_has_the_state_of_the_compiler(studio_home: object) -> None:
    host = PluginHost.discover()
    lines = {line.id: line for line in chip_lines(host)}
    assert set(lines) == set(chips(host))
    assert lines["tflite-micro"].compiler == "TFLite Micro"
    assert "not installed yet" in lines["tflite-micro"].state
