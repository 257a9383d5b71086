"""Servers that the tests of this folder share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.runtime.serve import rig


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rig.ServerProcess]:
    """A server of the model that gives back every type; bodies up to 1 MB."""
    folder = tmp_path_factory.mktemp("echo")
    model = rig.every_type(folder / "every_type.onnx")
    arguments = (f"--model={model}", "--max-body-mb=1", "--log-requests-per-second=1000")
    with rig.ServerProcess(*arguments, log=folder / "log") as server:
        yield server
