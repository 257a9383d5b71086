"""The log's file: lines, rotation, several processes, disks that are full or closed."""

from __future__ import annotations

import json
import logging
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.settings.log_file import KEPT, MOST_BYTES, LogFile

WRITER = """
import logging, sys
from pathlib import Path
from studio.settings.log_file import LogFile
path, name, count, most = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
handler = LogFile(path, most_bytes=most, kept=500)
logger = logging.getLogger(name)
logger.addHandler(handler)
sys.stdin.read(1)
for number in range(count):
    logger.error("line", extra={"number": number})
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data" / "logs" / "studio.log"


def written(path: Path) -> Iterator[dict[str, Any]]:
    """All lines of all files; each must be one JSON object."""
    for file in sorted(path.parent.glob(f"{path.name}*")):
        for line in file.read_text(encoding="ascii").splitlines():
            yield json.loads(line)


def record(message: str = "sent", **keys: Any) -> logging.LogRecord:
    made = logging.LogRecord("studio.a", logging.INFO, "", 1, message, None, None)
    vars(made).update(keys)
    return made


def test_a_line_has_time_in_utc_level_logger_keys_and_message(path: Path) -> None:
    handler = LogFile(path)
    one = record("Sent\n3 of 9 \x1b[31m é", job="3fa2", target="board-7")
    one.created = 1_795_000_812.3456
    handler.handle(one)
    (line,) = written(path)
    assert list(line) == ["time", "level", "logger", "pid", "job", "target", "message"]
    assert line["time"] == "2026-11-18T11:20:12.345Z"
    assert (line["level"], line["logger"], line["job"]) == ("INFO", "studio.a", "3fa2")
    assert line["message"] == "Sent\n3 of 9 \x1b[31m é"
    assert path.read_bytes().count(b"\n") == 1
    assert b"\x1b" not in path.read_bytes()


def test_only_its_owner_may_read_it(path: Path) -> None:
    before = os.umask(0)
    try:
        LogFile(path).handle(record())
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_it_is_rotated_by_size_and_five_are_kept(path: Path) -> None:
    handler = LogFile(path, most_bytes=1000)
    for number in range(200):
        handler.handle(record(number=number))
    files = sorted(file.name for file in path.parent.iterdir())
    numbered = [f"studio.log.{number}" for number in range(1, KEPT + 1)]
    assert [name for name in files if name != "studio.log"] == numbered
    assert all(file.stat().st_size < 1200 for file in path.parent.iterdir())
    found = sorted(line["number"] for line in written(path))
    assert found == list(range(found[0], 200)), "what is kept is the newest, without a gap"
    assert (KEPT, MOST_BYTES) == (5, 2 << 20)


def test_processes_that_write_at_once_lose_nothing(path: Path) -> None:
    words = [sys.executable, "-P", "-c", WRITER, str(path)]
    names, count = ("one", "two", "three"), 400
    started = [
        subprocess.Popen([*words, name, str(count), "2000"], stdin=subprocess.PIPE)
        for name in names
    ]
    for process in started:
        process.communicate(b"x")
        assert process.returncode == 0
    lines = list(written(path))
    for name in names:
        numbers = sorted(line["number"] for line in lines if line["logger"] == name)
        assert numbers == list(range(count))
    assert len(list(path.parent.iterdir())) > 10, "there was no rotation to survive"


def test_threads_that_write_at_once_lose_nothing(path: Path) -> None:
    handlers = [LogFile(path, most_bytes=3000, kept=500) for _ in range(2)]

    def write(handler: LogFile) -> None:
        for number in range(300):
            handler.handle(record(number=number))

    threads = [threading.Thread(target=write, args=(one,)) for one in handlers * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(line["number"] for line in written(path)) == sorted([*range(300)] * 4)


def test_a_file_that_another_process_rotated_is_left(path: Path) -> None:
    handler = LogFile(path)
    handler.handle(record(number=1))
    path.rename(path.with_name("studio.log.1"))
    handler.handle(record(number=2))
    assert [line["number"] for line in written(path)] == [2, 1]
    assert json.loads(path.read_text())["number"] == 2


def test_a_folder_that_cannot_be_written_to_disturbs_nobody(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    LogFile(tmp_path / "data" / "logs" / "studio.log").handle(record())
    LogFile(Path("/proc/logs/studio.log")).handle(record())
    assert [entry.name for entry in tmp_path.iterdir()] == ["data"]


def test_the_data_folder_is_not_made_for_a_log(tmp_path: Path) -> None:
    LogFile(tmp_path / "data" / "logs" / "studio.log").handle(record())
    assert list(tmp_path.iterdir()) == []


FULL = """
import logging, os, resource, sys
from pathlib import Path
from studio.settings.log_file import LogFile
path, hard = Path(sys.argv[1]), resource.getrlimit(resource.RLIMIT_FSIZE)[1]
handler = LogFile(path)
def write(number):
    handler.handle(logging.makeLogRecord({"msg": "line", "number": number}))
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
for number in range(100):
    write(number)
assert path.stat().st_size == 1000
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
write(100)
"""


def test_a_full_disk_disturbs_nobody_and_tears_one_line_alone(path: Path) -> None:
    subprocess.run([sys.executable, "-P", "-c", FULL, str(path)], check=True)
    *whole, torn, last = path.read_text().splitlines()
    assert [json.loads(line)["number"] for line in whole] == list(range(len(whole)))
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        json.loads(torn)
    assert json.loads(last)["number"] == 100


def test_values_that_are_no_json_are_written_as_texts(path: Path) -> None:
    loop: list[Any] = []
    loop.append(loop)
    handler = LogFile(path)
    handler.handle(record(where=Path("/a"), wrong=float("nan")))
    handler.handle(record(loop=loop))
    (line,) = written(path)
    assert (line["where"], line["wrong"]) == ("/a", "nan")


def test_a_long_text_loses_its_middle(path: Path) -> None:
    LogFile(path).handle(record("a" * 50_000 + "the end"))
    (line,) = written(path)
    assert len(line["message"]) < 17_000
    assert line["message"].endswith("the end")
    assert "34007 characters left out" in line["message"]
