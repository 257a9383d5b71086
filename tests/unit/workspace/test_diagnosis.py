"""What the doctor reports of the log, and of parts that are optional."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.plugin_host import discovery
from studio.settings import Paths
from studio.workspace import diagnosis
from studio.workspace.diagnosis import DoctorCheck, examine


def checks() -> dict[str, DoctorCheck]:
    return {check.name: check for check in examine()}


def test_the_doctor_says_where_the_log_lies_and_whether_it_can_be_written(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = {check.name: check for check in examine()}
    folder = Paths.of().logs
    assert (checks["log"].ok, checks["log"].text) == (True, str(folder))
    monkeypatch.setattr("os.access", lambda place, mode: False)  # root may write anywhere
    checks = {check.name: check for check in examine()}
    assert (checks["log"].ok, checks["log"].text) == (False, f"{folder} cannot be written to")


def test_a_library_of_a_built_in_plugin_is_optional(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(requires: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(text for text in requires if "boto3" in text)

    monkeypatch.setattr(discovery, "missing", missing)
    check = checks()["studio_sagemaker"]
    assert (check.ok, check.optional) == (True, True)
    assert "boto3>=1.40 is not installed; install it with: " in check.text
    assert not checks()["studio_onnx"].optional


def test_without_qt_only_the_window_is_missing(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnosis, "has_qt", lambda: False)
    check = checks()["PySide6"]
    assert (check.ok, check.optional) == (True, True)
    assert check.text.startswith("not installed; needed for the window only; install it with: ")


def test_a_library_that_the_window_lacks_is_named(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnosis, "missing_library", lambda: "libEGL.so.1")
    check = checks()["PySide6"]
    assert (check.ok, check.optional) == (True, True)
    assert check.text.startswith("missing system libraries for the window: libEGL.so.1; ")


def test_a_program_that_few_need_is_optional(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnosis.shutil, "which", lambda name: None)
    check = checks()["ssh-keygen"]
    assert (check.ok, check.optional) == (True, True)
    assert check.text == "not installed; needed for signed bundles only"


def test_the_installation_is_named(studio_home: Path) -> None:
    assert checks()["installation"].text.startswith("checkout, in ")
