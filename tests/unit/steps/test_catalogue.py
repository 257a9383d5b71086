"""The catalogue of steps, whose modules are imported when a step is read."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from studio.api import UsageError
from studio.jobs import Step
from studio.steps.catalogue import _MODULES, step, steps


def test_every_step_of_a_module_is_in_the_catalogue() -> None:
    declared = {
        value.name
        for module in _MODULES
        for value in vars(importlib.import_module(module)).values()
        if isinstance(value, Step)
    }
    assert set(steps()) == declared
    assert [one.name for one in steps().values()] == [*steps()]
    assert all(one.work or one.record for one in steps().values()), "a step that does nothing"


def test_a_step_is_read_without_the_modules_of_others() -> None:
    script = (
        "import sys; from studio.steps.catalogue import steps; steps()['inspect'];"
        "print('studio.quantization.step' in sys.modules, len(steps()) > 90)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["False", "True"]


def test_an_unknown_step_is_refused_with_the_nearest_word() -> None:
    assert steps().get("inspekt") is None
    with pytest.raises(UsageError) as error:
        step("inspekt")
    assert "inspect" in f"{error.value.message} {error.value.hint}"
