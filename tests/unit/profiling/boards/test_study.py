"""Studies on real SSH boards: one table, lost and reserved boards, resumption, bad input."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.registry import Registry
from studio.settings import Paths, resource
from tests.rigs.boards import require_boards, until
from tests.rigs.farm import Farm

pytestmark = [
    pytest.mark.rig,
    pytest.mark.slow,
    pytest.mark.needs("sshd", "ip", "unshare", "nsenter"),
]
DIGITS = resource("samples", "digits") / "digits.onnx"
LONG = ("--seconds", "3600", "--rounds", "10000", "--interim-checks", "1")
_HELD = "ls /proc/*/fd/* -l 2>/dev/null | grep -c reserved- || true"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    require_boards()
    with Farm(tmp_path_factory.mktemp("farm"), 3) as farm:
        yield farm


@pytest.fixture
def farm(shared: Farm) -> Iterator[Farm]:
    """Three boards whose cables are in at the end."""
    yield shared
    for board in shared.boards:
        board.mend()


def holders(farm: Farm, number: int) -> int:
    """The locks that processes of a board hold."""
    return int(farm.boards[number].run("sh", "-c", _HELD).strip() or 0)


def running(farm: Farm, *words: str) -> subprocess.Popen[bytes]:
    """A study in the background that has reserved its board."""
    process = subprocess.Popen(
        farm.command("profile", str(DIGITS), *LONG, *words),
        env=farm.environment,
        cwd=farm.folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until(lambda: holders(farm, 0) > 0, "the board is reserved", 60)
    return process


def test_one_table_for_all_boards(farm: Farm) -> None:
    found = farm.study(DIGITS, DIGITS)
    assert [row["target"] for row in found["boards"]] == ["cam-1", "cam-2", "cam-3"]
    assert {row["state"] for row in found["boards"]} == {"measured"}
    assert all(row["figures"][1]["low"] is not None for row in found["boards"])
    [overall] = found["overall"]
    assert overall["boards"] == 3
    assert overall["verdict"] in ("equal", "undecided")
    assert overall["low"] < overall["high"]
    assert [holders(farm, number) for number in range(3)] == [0, 0, 0]


def test_a_lost_board_costs_its_row_and_is_measured_by_a_resumed_study(farm: Farm) -> None:
    farm.boards[1].cut()
    first = farm.study(DIGITS)
    assert [row["state"] for row in first["boards"]] == ["measured", "failed", "measured"]
    assert first["boards"][1]["reason"]
    farm.boards[1].mend()
    again = farm.study(DIGITS, resume="last")
    assert again["study"] == first["study"]
    assert [row["kept"] for row in again["boards"]] == [True, False, True]
    assert again["complete"]
    runs = [row["run"] for row in again["boards"]]
    assert runs[0] == first["boards"][0]["run"]
    assert len(set(runs)) == 3


def test_a_reserved_board_is_refused_and_given_back_after_a_kill(farm: Farm) -> None:
    other = running(farm, "--target", "cam-1")
    try:
        refused = farm.run("profile", str(DIGITS), "--target", "cam-1", "--seconds", "1")
        assert other.poll() is None
        assert refused.returncode == 1
        assert "cam-1 is reserved by" in refused.stderr
        found = farm.study(DIGITS, targets=("cam-1", "cam-2"))
        assert [row["state"] for row in found["boards"]] == ["reserved", "measured"]
    finally:
        other.kill()
        other.wait()
    until(lambda: holders(farm, 0) == 0, "the board is given back", 60)
    assert farm.run("profile", str(DIGITS), "--target", "cam-1", "--seconds", "1").returncode == 0


def test_a_cancelled_study_gives_its_board_back(farm: Farm) -> None:
    process = running(farm, "--target", "cam-1", "--target", "cam-2")
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    until(lambda: holders(farm, 0) == 0, "the board is given back", 60)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("@site=moon",), "No target is labelled site=moon."),
        (("@moon",), "Unknown group 'moon'."),
        (("cam-1", "cam-1"), "cam-1 is named twice."),
        (("cam-1", "twin"), "cam-1 and twin have the same address."),
        (("cam-1", "gone"), "gone"),
    ],
)
def test_bad_boards_are_one_sentence(farm: Farm, words: tuple[str, ...], sentence: str) -> None:
    registry = Registry.open(Paths.of(farm.environment).registry)
    registry.add_target(farm.boards[0].spec("twin"))
    registry.close()
    named = [word for target in words for word in ("--target", target)]
    done = farm.run("profile", str(DIGITS), *named)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_study_is_a_step_of_a_pipeline(farm: Farm, tmp_path: Path) -> None:
    pipeline = tmp_path / "farm.toml"
    pipeline.write_text(
        f'[pipeline]\nname = "farm"\n[[steps]]\nid = "open"\nstep = "open"\nmodel = "{DIGITS}"\n'
        '[[steps]]\nid = "farm"\nstep = "study"\nmodel = ["${open.variant}"]\n'
        'target = ["@site=lab"]\nseconds = 1\nthreads = 1\n'
    )
    done = farm.run("run", str(pipeline), "--json")
    assert done.returncode == 0, done.stderr
    steps = {one["name"]: one for one in json.loads(done.stdout)["steps"]}
    assert len(steps["farm"]["result"]["boards"]) == 3
