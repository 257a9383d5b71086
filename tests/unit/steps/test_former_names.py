"""Names of earlier versions in stored actions, results, journals and digests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.api import Kind, Option
from studio.plugin_host import PluginHost
from studio.quantization.step import PREVIEW, QUANTIZE, SENSITIVITY
from studio.registry import Registry
from studio.registry.records import ActionRecord
from studio.registry.run_journal import RunFolder
from studio.steps.former_keys import with_new_keys
from studio.steps.inputs import input_digest
from studio.steps.replay import pipeline_of
from studio.steps.resolve import resolve
from studio.workspace.run_info import RunInfo


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry.open(tmp_path / "registry")
    file = tmp_path / "m.onnx"
    file.write_bytes(b"x")
    model = registry.add_model("digits")
    registry.add_variant(model, "fp32", registry.adopt(file), format="onnx", precision="fp32")
    yield registry
    registry.close()


def test_the_digest_of_inputs_is_that_of_earlier_versions(registry: Registry) -> None:
    own = [o for o in QUANTIZE.form if o.name != "preset"]
    before = replace(QUANTIZE, options=(*own, Option("recipe", Kind.PRESET)))
    host = PluginHost.discover()

    def digest(step: Any, given: Mapping[str, Any]) -> str:
        resolved = resolve(step, {"model": "digits", **given}, registry)
        return input_digest(step, resolved, registry, host)

    wanted = digest(before, {"recipe": "int8"})
    assert digest(QUANTIZE, {"preset": "int8"}) == digest(QUANTIZE, {"recipe": "int8"}) == wanted
    assert digest(QUANTIZE, {"preset": "fp16"}) != wanted


@pytest.mark.parametrize("step", [QUANTIZE, PREVIEW, SENSITIVITY])
def test_every_step_with_a_preset_takes_the_former_name(step: Any, registry: Registry) -> None:
    needed = {"data": registry.folder} if step is SENSITIVITY else {}
    given = {"model": "digits", "recipe": "int8", **needed}
    arguments = resolve(step, given, registry).arguments
    assert arguments["preset"] == "int8"
    assert "recipe" not in arguments


def test_a_stored_action_is_repeated_under_the_new_name(registry: Registry) -> None:
    options = {"model": "digits", "recipe": "int8"}
    action = ActionRecord(1, "quantize", options, {}, "window", "2026-01-01T00:00:00")
    text = pipeline_of(registry, action)
    assert 'preset = "int8"' in text
    assert "recipe" not in text
    assert "[pipeline]" in text


def test_results_of_earlier_versions_have_the_new_keys() -> None:
    settings = {"method": "fp16"}
    found = with_new_keys({"recipe": settings, "recipe_text": "x"})
    assert found == {
        "recipe": settings,
        "recipe_text": "x",
        "preset": settings,
        "preset_text": "x",
    }
    assert with_new_keys({"recipe": "a/recipe.toml"})["pipeline"] == "a/recipe.toml"
    assert with_new_keys({"variant": 1}) == {"variant": 1}


def test_a_journal_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    head = {"name": "digits", "title": "Digits", "file": "recipe.toml"}
    (tmp_path / "run.json").write_text(json.dumps({"recipe": head, "state": "succeeded"}))
    (tmp_path / "recipe.toml").write_text("[recipe]\n")
    run = RunInfo.of(RunFolder(tmp_path))
    assert (run.name, run.title, run.pipeline) == ("digits", "Digits", "[recipe]\n")
