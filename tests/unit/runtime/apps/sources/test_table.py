"""Numbers of files and devices come in pieces with exact times."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.runtime.apps.parts import IDLE, SourceFrame
from studio.runtime.apps.sources.table import TYPES, CsvSettings, FollowedLines, SampleTimes
from tests.unit.runtime.apps.parts import Context


def capture(path: Path | str, **settings: Any) -> Any:
    return TYPES["csv"].open(CsvSettings(str(path), **{"rate_hz": 10.0, **settings}), Context())


def frames(one: Any) -> list[SourceFrame]:
    found = []
    while (frame := one.read()) is not None:
        found.append(frame)
    return found


def values(one: Any) -> Any:
    return np.concatenate([frame.data for frame in frames(one)]).tolist()


def test_a_file_comes_in_pieces_whose_times_follow_the_rate(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("time,x,y\n" + "".join(f"{n},{n * 2},{n * 3}\n" for n in range(25)))
    one = capture(path, columns=("y", "x"), piece_s=1.0)
    found = frames(one)
    one.close()
    assert [len(frame.data) for frame in found] == [10, 10, 5]
    assert [frame.time for frame in found] == [0.0, 1.0, 2.0]
    assert found[0].data.dtype == np.float32
    assert np.concatenate([frame.data for frame in found]).tolist() == [
        [n * 3, n * 2] for n in range(25)
    ]


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        ("1,2\n3,4\n", (), [[1, 2], [3, 4]]),
        ("1;2\r\n\r\n3;4\r\n", ("1",), [[2], [4]]),
        ("  1   2 \n3 4", ("0",), [[1], [3]]),
        ("a b\tc\n1\t2\n", ("a b",), [[1]]),
        ('"x","y"\n1e-3,-2\n', ("x",), [[np.float32(1e-3)]]),
    ],
)
def test_common_forms_are_read(
    tmp_path: Path, text: str, columns: tuple[str, ...], rows: list[list[float]]
) -> None:
    (tmp_path / "a.csv").write_text(text)
    one = capture(tmp_path / "a.csv", columns=columns)
    assert values(one) == rows
    one.close()


@pytest.mark.parametrize(
    ("text", "columns", "sentence"),
    [
        ("x,y\n1,2\n1\n", (), "line 3: 1 columns instead of 2"),
        ("x,y\n1,2\n1,n/a\n", (), "line 3: could not convert"),
        ("x,y\n1,2\n", ("z",), "line 1: it has no column 'z'"),
        ("1,2\n", ("7",), "line 1: it has no column '7'"),
    ],
)
def test_a_line_without_its_numbers_is_named(
    tmp_path: Path, text: str, columns: tuple[str, ...], sentence: str
) -> None:
    (tmp_path / "a.csv").write_text(text)
    one = capture(tmp_path / "a.csv", columns=columns)
    with pytest.raises(OSError, match=sentence):
        frames(one)
    one.close()


def collected(one: Any, rows: int) -> list[list[float]]:
    """Read until some rows have come."""
    found: list[list[float]] = []
    for _ in range(400):
        frame = one.read()
        if frame is not IDLE:
            found += frame.data.tolist()
        if len(found) >= rows:
            return found
    raise AssertionError(f"only {found} came")


def test_a_growing_file_is_followed_from_its_end_through_cuts_and_replacements(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("t,x\n0,10\n")
    one = capture(path, columns=("x",), follow=True)
    assert one.read() is IDLE
    with path.open("a") as file:
        file.write("1,11\n2,1")
        file.flush()
        assert collected(one, 1) == [[11]]
        file.write("2\nspoiled,\n3,13\n")
        file.flush()
        assert collected(one, 2) == [[12], [13]]
    path.write_text("4,14\n")
    assert collected(one, 1) == [[14]]
    (tmp_path / "new").write_text("5,15\n")
    os.replace(tmp_path / "new", path)
    assert collected(one, 1) == [[15]]
    one.close()


def test_a_fifo_is_followed_from_writer_to_writer(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)
    one = capture(path, follow=True)
    for number in (1, 2):
        writer = threading.Thread(target=path.write_text, args=(f"{number},5\n",))
        writer.start()
        assert collected(one, 1) == [[number, 5]]
        writer.join(60)
    one.close()


def test_a_serial_device_is_read_raw_and_lost_when_it_goes() -> None:
    ours, theirs = os.openpty()
    one = capture(os.ttyname(theirs), follow=True, baud=115200)
    os.write(ours, b"cut off,\n1.5 2\n\x032 3\n4 5\n")
    assert collected(one, 2) == [[1.5, 2], [4, 5]]
    os.close(theirs)
    os.close(ours)
    with pytest.raises(OSError, match=r"the device is gone|Input/output error"):
        collected(one, 1)
    one.close()


@pytest.mark.parametrize(
    "settings", [{"rate_hz": 0.0}, {"piece_s": 0.0}, {"follow": True, "rate_hz": -1.0}]
)
def test_settings_out_of_range_are_refused(tmp_path: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(OSError, match="above 0"):
        capture(tmp_path / "a.csv", **settings)


def test_times_of_a_live_signal_follow_its_samples_until_some_were_lost() -> None:
    times = SampleTimes(100.0)
    assert times.next(10, 50.0) == pytest.approx(49.9)
    assert times.next(10, 50.3) == pytest.approx(50.0)  # late, and still the next samples
    assert times.next(10, 50.2) == pytest.approx(50.1)
    assert times.next(10, 60.0) == pytest.approx(59.9)  # a gap
    assert times.next(10, 60.1) == pytest.approx(60.0)


def test_the_last_piece_of_a_followed_file_comes_when_no_further_line_does(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x\n")
    now = [0.0]
    settings = CsvSettings(str(path), 10.0, piece_s=1.0, follow=True)
    one = FollowedLines(str(path), settings, lambda: now[0], lambda seconds: None)
    with path.open("a") as file:
        file.write("".join(f"{number}\n" for number in range(13)))
    assert len(collected(one, 13)) == 13  # a long first piece
    with path.open("a") as file:
        file.write("13\n14\n15\n")
    assert one.read() is IDLE
    now[0] = 1.9
    assert one.read() is IDLE
    now[0] = 2.1
    frame = one.read()
    assert frame is not None
    assert frame.data.tolist() == [[13], [14], [15]]
    assert frame.time == pytest.approx(2.1 - 0.3)
    assert one.read() is IDLE
    one.close()
