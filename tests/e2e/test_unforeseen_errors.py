"""An unexpected exception, thrown in the work of each step: no command prints its class."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from studio.cli.main import commands_of, main
from studio.documents.defects import DEFECT
from studio.feature_host import features
from studio.jobs import JobSpec
from studio.steps import runner
from tests.e2e.test_hostile_folder import LINES
from tests.rigs import killing
from tests.unit.jobs.works import UnheardOfFault, unforeseen

pytestmark = pytest.mark.slow

_WITHOUT_A_STEP = (
    *("backends", "chips", "completion", "desktop", "doctor", "events", "man", "openapi"),
    *("plan", "plugins", "presets", "profiles", "registry", "versions"),
    *(
        command
        for name in features()
        if commands_of(name)
        for command in import_module(f"tests.features.{name}.command_lines").WITHOUT_A_STEP
    ),
)
"""Commands whose lines run no step, or one without work."""


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return killing.digits_pipeline(tmp_path_factory.mktemp("unforeseen") / "sample").parent


def _failing(**values: Any) -> JobSpec:
    return JobSpec(**{**values, "entry": "tests.unit.jobs.works:unforeseen"})


@pytest.mark.parametrize("command", sorted(LINES))
def test_no_command_prints_the_class_of_an_exception(
    command: str,
    sample: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(sample)
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))
    monkeypatch.setattr(runner, "JobSpec", _failing)
    failed = False
    for line, _ in LINES[command]:
        main(line.split())
        printed = "".join(capsys.readouterr())
        assert UnheardOfFault.__name__ not in printed, line
        assert "Traceback" not in printed, line
        failed = failed or "knot 4711" in printed
    assert failed == (command not in _WITHOUT_A_STEP)


def test_texts_that_fail_print_no_class_either(
    sample: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(tmp_path))
    monkeypatch.setattr("studio.cli.step_commands.finish", unforeseen)
    assert main(["inspect", str(sample / "digits.onnx")]) == 1
    printed = capsys.readouterr().err
    assert printed == f"studio: Unexpected error: knot 4711.\n        {DEFECT}\n"
