"""Options, consent, errors and the progress line of a session."""

from __future__ import annotations

import io
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import studio
from studio.api import Cancelled, InvalidModel, StudioError, UnknownHost, UsageError
from studio.jobs import End, JobOutcome, JobProgress
from studio.library import session as sessions
from studio.library.session import ProgressLine, _plain, error_of, session


@pytest.mark.parametrize(
    ("outcome", "error", "hint"),
    [
        (JobOutcome(End.FAILED, message="No.", error="InvalidModel", hint="h"), InvalidModel, "h"),
        (JobOutcome(End.FAILED, message="No.", error="ValueError"), StudioError, ""),
        (JobOutcome(End.FAILED, message="No.", error="Kind"), StudioError, ""),
        (JobOutcome(End.FAILED, message="No.", error="UnknownHost"), UnknownHost, ""),
        (JobOutcome(End.CANCELLED, "Profile"), Cancelled, ""),
        (JobOutcome(End.CRASHED, "Profile", signal=11), StudioError, ""),
        (JobOutcome(End.OUT_OF_MEMORY, "Profile"), StudioError, ""),
    ],
)
def test_the_error_is_of_the_class_that_the_work_raised(
    outcome: JobOutcome, error: type[StudioError], hint: str
) -> None:
    if error is UnknownHost:
        given = {"key": "ssh-ed25519 A", "fingerprint": "SHA256:B"}
        found = error_of(JobOutcome(End.FAILED, message="No.", error="UnknownHost", fields=given))
        assert isinstance(found, UnknownHost)
        assert found.fingerprint == "SHA256:B"
        return
    found = error_of(outcome)
    assert type(found) is error
    assert (found.message, found.hint) == (outcome.sentence, hint)


def test_fields_of_a_plugin_are_left_out() -> None:
    outcome = JobOutcome(End.FAILED, message="No.", error="TargetError", fields={"plugin": "x"})
    assert type(error_of(outcome)).__name__ == "TargetError"


def test_values_of_options() -> None:
    model = types.SimpleNamespace(reference="#3")
    assert _plain([Path("a"), model, 1]) == ["a", "#3", 1]
    assert _plain("text") == "text"


def test_one_workspace_for_a_home(home: Path) -> None:
    first = session(home)
    assert session(str(home)) is first
    studio.close()
    assert session(home) is not first


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda home: studio.run("no-step", home=home), "Unknown step"),
        (lambda home: studio.run("releases", lines=3, home=home), "Unknown option 'lines'"),
        (lambda home: studio.run("logs", lines="many", home=home), "must be a whole number"),
        (lambda home: studio.endpoint("nowhere", home=home), "Unknown target"),
        (lambda home: studio.get_sample("nothing", home=home), "Unknown sample"),
        (lambda home: studio.open("missing.onnx", home=home), "No file or registered model"),
        (lambda home: studio.open("digits:int8", home=home), "No file or registered model"),
        (lambda home: studio.open(Path("missing.onnx"), home=home), "does not exist"),
        (lambda home: studio.open(home, home=home), "does not exist or is no file"),
    ],
)
def test_what_cannot_be_done_is_a_usage_error(
    call: Callable[[Path], object], text: str, home: Path
) -> None:
    with pytest.raises(UsageError, match=text):
        call(home)


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StudioError, match="cannot be used"):
        studio.open("digits", home=tmp_path / "file")


def test_no_file_is_overwritten_without_consent(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "graph.svg"
    out.write_text("mine")
    with pytest.raises(UsageError, match="overwrite=True"):
        studio.run("graph", model="x", out=out, home=home)
    with pytest.raises(UsageError, match="No file or registered model"):
        studio.run("graph", model="x", out=out, overwrite=True, home=home)
    assert out.read_text() == "mine"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def job(text: str, total: float = 0, outcome: JobOutcome | None = None) -> Any:
    state = JobProgress(1, total, text)
    return types.SimpleNamespace(title="Open m", state=state, outcome=outcome)


def shown(stream: io.StringIO, wanted: bool | None) -> str:
    line = ProgressLine(wanted)
    line.update(job("reads\nlines"))
    line.update(job("reads\nlines"))
    line.update(job("x", 4))
    line.end(job("x", 4, JobOutcome(End.SUCCEEDED, "Open m", seconds=2.0)))
    return stream.getvalue()


def test_a_script_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", stream := io.StringIO())
    assert shown(stream, None) == ""


@pytest.mark.parametrize("wanted", [None, True])
def test_a_terminal_has_one_line_that_is_removed(
    wanted: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", stream := Terminal())
    said = shown(stream, wanted)
    assert said.startswith("\rOpen m  reads\\nlines\rOpen m  25 %  x")
    assert said.endswith("\r")
    assert "\n" not in said


def test_a_terminal_is_silent_if_so_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", stream := Terminal())
    assert shown(stream, False) == ""


def test_a_notebook_keeps_the_duration(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = types.SimpleNamespace(get_ipython=lambda: types.SimpleNamespace(kernel=1))
    monkeypatch.setitem(sys.modules, "IPython", kernel)  # type: ignore[arg-type]
    monkeypatch.setattr(sys, "stdout", stream := io.StringIO())
    assert shown(stream, None).endswith("\rOpen m: succeeded after 2.0 s\n")


def test_an_interrupt_cancels_the_job_and_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    class Job:
        outcome = None

        def wait(self, timeout: float | None = None) -> None:
            calls.append("wait" if timeout is None else "look")
            if timeout is not None:
                raise KeyboardInterrupt

        def cancel(self) -> None:
            calls.append("cancel")

    with pytest.raises(KeyboardInterrupt):
        sessions.Session(None)._wait(Job())  # type: ignore[arg-type]
    assert calls == ["look", "cancel", "wait"]
