"""The presets that ship with the studio, and the user's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.api import UsageError
from studio.plugin_host import PluginHost
from studio.quantization.presets import all_presets, find, prepare, save
from studio.quantization.step import QuantizeOptions
from studio.registry import Registry
from studio.workspace import Presets, allowed_values
from tests.rigs.model_refs import model_ref

SHIPPED = {
    "int8", "int8-arm", "int8-dynamic", "int8-weights", "int4-weights", "fp16", "a16w8",
    "int8-per-tensor", "int8-percentile", "int8-whole", "int8-tensorrt",
}  # fmt: skip


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Presets:
    host = PluginHost.discover()
    return Presets(tmp_path_factory.mktemp("data"), lambda: host)


def test_all_that_ship_are_listed_and_fit(known: Presets) -> None:
    assert {entry.name for entry in known.all()} >= SHIPPED
    for entry in known.all():
        assert entry.title
        assert entry.summary.endswith(".")
        assert entry.hardware.endswith(".")
        assert known.check(entry.name).values["method"] == entry.method


def test_every_option_says_what_it_can_be(known: Presets) -> None:
    said = {option.name: allowed_values(option) for option in known.check("int8").options}
    assert said["samples"] == "whole number from 1 to 100000"
    assert said["fold"] == "true | false"
    assert said["activations"] == "auto | unsigned | signed | symmetric"
    assert "samples" not in {option.name for option in known.check("fp16").options}


def test_a_method_that_is_not_there(known: Presets) -> None:
    with pytest.raises(UsageError, match=r"line 1, column 1: unknown method 'int3'"):
        known.check('method = "int3"\n')


def test_own_presets_are_saved_listed_and_found(tmp_path: Path) -> None:
    text = 'title = "Mine"\nmethod = "fp16"\n'
    path = save("mine", text, tmp_path)
    assert path.read_text() == text
    (entry,) = [entry for entry in all_presets(tmp_path) if entry.own]
    assert (entry.name, entry.title) == ("mine", "Mine")
    assert find("mine", tmp_path)[0] == entry
    assert find(str(path), tmp_path)[0].text == text


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("int8", "samples = 1", "int8 ships with the studio"),
        ("../up", "samples = 1", "Invalid preset name"),
        ("mine", "samples = ", "line 1, column 11"),
    ],
)
def test_what_cannot_be_saved(tmp_path: Path, name: str, text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        save(name, text, tmp_path)
    assert not list(tmp_path.rglob("*.toml"))


def test_a_name_that_is_nearly_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Unknown preset 'int8-am'; the nearest is 'int8-arm'"):
        find("int8-am", tmp_path)
    with pytest.raises(UsageError, match=r"absent\.toml cannot be read"):
        find("absent.toml", tmp_path)


def test_a_damaged_one_is_left_out_of_the_list(tmp_path: Path) -> None:
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "bad.toml").write_text("x = ")
    assert not [entry for entry in all_presets(tmp_path) if entry.own]


def test_the_worker_gets_the_text(registry: Registry) -> None:
    options = QuantizeOptions(model_ref("m.onnx"), preset="fp16")
    made = prepare(registry, options)
    assert 'method = "fp16"' in str(made.preset)
    assert made.preset_name == "fp16.toml"
    plain = QuantizeOptions(model_ref("m.onnx"))
    assert prepare(registry, plain) == plain
