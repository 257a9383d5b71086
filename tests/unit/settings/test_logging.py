"""Logging of a process: levels, the terminal, what nobody has caught, crashes."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from studio.settings import Paths
from studio.settings.logging import crashes, recording

log = logging.getLogger("studio.test")


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    made = Paths.of(home=tmp_path)
    made.data.mkdir()
    return made


def lines(paths: Paths) -> list[dict[str, Any]]:
    file = paths.logs / "studio.log"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_records_are_written_while_it_lasts_from_the_level_on(paths: Paths) -> None:
    log.error("before")
    with recording(paths):
        log.info("begun", extra={"job": "1"})
        log.debug("a detail")
    log.error("after")
    assert [line["message"] for line in lines(paths)] == ["begun"]
    with recording(paths, logging.DEBUG):
        log.debug("a detail")
    assert lines(paths)[-1]["message"] == "a detail"


def test_libraries_are_heard_from_warnings_on(paths: Paths) -> None:
    with recording(paths, logging.DEBUG):
        logging.getLogger("paramiko").info("chatter")
        logging.getLogger("paramiko").warning("trouble")
    assert [line["logger"] for line in lines(paths)] == ["paramiko"]


def test_nothing_is_made_before_there_is_something_to_write(paths: Paths) -> None:
    with recording(paths):
        log.debug("nothing to write")
    assert not paths.logs.exists()


def test_the_terminal_gets_one_plain_line_and_no_secret(
    paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    with recording(paths, terminal=logging.INFO):
        log.debug("a detail")
        log.info("sent\n\x1b[31m token=hunter2", extra={"target": "board-7"})
        log.error("failed", exc_info=ValueError("seen in the file alone"))
    said = capsys.readouterr().err
    expected = "INFO studio.test: sent\\n\\x1b[31m token=*** target=board-7\n"
    assert said == f"{expected}ERROR studio.test: failed\n"
    assert "seen in the file alone" in lines(paths)[-1]["traceback"]


def test_a_secret_in_a_traceback_is_not_written(paths: Paths) -> None:
    with recording(paths):
        try:
            raise ValueError("Authorization: Bearer hunter2")
        except ValueError:
            log.exception("failed with %s", "password=hunter2")
    text = (paths.logs / "studio.log").read_text()
    assert "hunter2" not in text
    assert "ValueError" in lines(paths)[0]["traceback"]


def test_what_a_thread_does_not_catch_is_written_and_goes_its_usual_way(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", usual.append)
    with recording(paths):
        thread = threading.Thread(target=lambda: 1 / 0, name="odd")
        thread.start()
        thread.join()
    (line,) = lines(paths)
    assert (line["level"], line["in_thread"]) == ("ERROR", "odd")
    assert "ZeroDivisionError" in line["traceback"]
    assert len(usual) == 1
    assert threading.excepthook == usual.append


PROGRAM = """
import sys, ctypes
from pathlib import Path
from studio.settings import Paths
from studio.settings.logging import crashes, recording
paths = Paths.of(home=Path(sys.argv[1]))
with recording(paths), crashes(paths.logs / "window.err"):
    if sys.argv[2] == "raise":
        sys.excepthook(*sys.argv[3:], *(ValueError, ValueError("odd"), None))
    ctypes.string_at(0)
"""


def test_uncaught_exceptions_and_crashes_leave_their_stacks(paths: Paths) -> None:
    words = [sys.executable, "-P", "-c", PROGRAM, str(paths.data.parent)]
    done = subprocess.run([*words, "raise"], capture_output=True, text=True, check=False)
    assert done.returncode < 0
    assert "ValueError: odd" in done.stderr, "the usual hook was called as well"
    assert [line["message"] for line in lines(paths)] == ["uncaught exception"]
    crash = (paths.logs / "window.err").read_text()
    assert "Segmentation fault" in crash
    assert "string_at" in crash


def test_a_file_for_crashes_that_cannot_be_made_disturbs_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with crashes(tmp_path / "file" / "window.err"):
        pass


def test_logging_adds_nothing_heavy_to_a_start() -> None:
    program = "import sys, studio.settings.logging; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True
    )
    heavy = {"logging.handlers", "logging.config", "socket", "pickle", "multiprocessing"}
    assert heavy & set(done.stdout.split()) == set()
