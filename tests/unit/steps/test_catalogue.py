"""The catalogue of steps, whose modules are imported when a step is read."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import studio
from studio.api import UsageError
from studio.jobs import Step
from studio.steps.catalogue import step, steps
from studio.steps.step_files import commands

ROOT = Path(studio.__file__).parent


def _below(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def test_every_step_of_the_studio_is_in_the_catalogue() -> None:
    uses = [path for path in ROOT.rglob("*.py") if re.search(r"= Step\(", path.read_text())]
    declared = {
        value.name: value.has_command
        for path in uses
        for value in vars(importlib.import_module(f"studio.{_below(path)}")).values()
        if isinstance(value, Step)
    }
    assert {"inspect", "quantize", "deploy"} <= set(declared)
    assert set(steps()) == set(declared)
    assert {name for name, _ in commands()} == {name for name in declared if declared[name]}
    assert [one.name for one in steps().values()] == [*steps()]
    assert all(one.work or one.record for one in steps().values()), "a step that does nothing"


def test_a_step_is_read_without_the_modules_of_others() -> None:
    script = (
        "import sys; from studio.steps.catalogue import steps; steps()['inspect'];"
        "print('studio.quantization.step' in sys.modules, 'deploy' in steps())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["False", "True"]


def test_all_steps_are_read_without_what_does_their_work() -> None:
    script = (
        "import sys; from studio.steps.catalogue import steps; [*steps().values()];"
        "print(*[name for name in sys.modules if name.startswith('studio')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    modules = done.stdout.split()
    assert len(modules) <= 216
    heavy = {"studio.registry.registry", "studio.plugin_host.host", "studio.packages.bundle"}
    assert not heavy & {*modules}


def test_an_unknown_step_is_refused_with_the_nearest_word() -> None:
    assert steps().get("inspekt") is None
    with pytest.raises(UsageError) as error:
        step("inspekt")
    assert "inspect" in f"{error.value.message} {error.value.hint}"
