"""The commands of the runtime: each names a package that there is."""

from __future__ import annotations

import importlib
import inspect

import pytest

from studio import runtime
from studio.runtime.main import COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_can_be_called(name: str) -> None:
    package = importlib.import_module(COMMANDS[name][0], runtime.__name__)
    assert len(inspect.signature(package.main).parameters) == 1
