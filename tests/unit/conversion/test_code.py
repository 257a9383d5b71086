"""The consent to run code of a model, and the seal of what it became."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.api import Refused
from studio.conversion.code import Seal, check_consent
from studio.conversion.step import ConvertOptions
from studio.jobs.sandbox import environment
from studio.models.source_formats import SourceFormat
from studio.settings import Paths

PICKLE = SourceFormat("pickle", "a Python pickle", "", runs_code=True)
KERAS = SourceFormat("keras", "a Keras model", "")


def in_worker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, closed: bool) -> None:
    for name, value in environment(Paths.of(), tmp_path, frozenset(), closed=closed).items():
        monkeypatch.setenv(name, value)


def test_code_needs_consent_and_a_closed_sandbox(
    studio_home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked, agreed = (ConvertOptions(Path("m.pkl"), run_code=one) for one in (False, True))
    in_worker(monkeypatch, tmp_path, closed=True)
    check_consent(PICKLE, agreed)
    with pytest.raises(Refused, match=r"m\.pkl is a Python pickle") as caught:
        check_consent(PICKLE, asked)
    assert "--run-code" in caught.value.hint
    in_worker(monkeypatch, tmp_path, closed=False)
    with pytest.raises(Refused, match="this machine has no sandbox"):
        check_consent(PICKLE, agreed)


def test_outside_a_worker_no_code_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGEWRIGHT_SANDBOX_CLOSED", raising=False)
    with pytest.raises(Refused, match="this machine has no sandbox"):
        check_consent(PICKLE, ConvertOptions(Path("m.pkl"), run_code=True))


def test_a_model_without_code_needs_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGEWRIGHT_SANDBOX_CLOSED", raising=False)
    check_consent(KERAS, ConvertOptions(Path("m.keras")))


@pytest.mark.parametrize("name", ["m.onnx", "more/weights.data"])
def test_a_file_that_is_changed_or_added_breaks_the_seal(tmp_path: Path, name: str) -> None:
    output = tmp_path / "m.onnx"
    output.write_bytes(b"model")
    seal = Seal(output)
    seal.check()
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"other")
    with pytest.raises(Refused, match="was changed while it was compared"):
        seal.check()
