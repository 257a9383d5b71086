"""The fuzzer in small: a little of every target, and each kind of defect in one that has it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzzing import campaign
from tests.fuzzing.campaign import Plan, is_clean
from tests.fuzzing.findings import KINDS, load, minimised
from tests.fuzzing.target import MODULES, makers, names, target

ROOT = Path(__file__).parents[2]
SEED = 20
"""Fixed: a test says the same each time; `make fuzz` looks for what is new."""

FAULTY = """
import os, sys
sys.path.insert(0, {root!r})
from tests.fuzzing import child, target
from tests.fuzzing.target import Target

def run(data, folder):
    if {kind!r} == "crash" and b"!" in data:
        os.kill(os.getpid(), 11)
    if {kind!r} == "hang" and b"!" in data:
        while True:
            pass
    if {kind!r} == "outside" and b"!" in data:
        open("/etc/hostname").close()
    if {kind!r} == "exception" and b"!" in data:
        raise KeyError("nobody expects it")
    if {kind!r} == "program" and b"!" in data:
        os.system("true")

faulty = Target("faulty", lambda: [b"0123456789" * 5], run, (),
                lambda data, rng: data[:20] + b"!" + data[20:] if rng.random() < 0.05 else data)
child.target = lambda name: faulty
sys.exit(child.main())
"""


@pytest.mark.slow
def test_a_few_mutants_of_every_target_find_nothing(tmp_path: Path) -> None:
    plan = Plan(tmp_path / "made", seconds=600.0, cases=12, seed=SEED, plain=True)
    summary = campaign.run(names(), plan, processes=2, tell=print)
    assert is_clean(summary), json.dumps(summary, indent=1)
    assert summary["cases"] >= 12 * len(names())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("crash", "crash"),
        ("hang", "hang"),
        ("outside", "outside"),
        ("exception", "exception"),
        ("program", "outside"),
        ("nothing", ""),
    ],
)
def test_each_kind_of_defect_is_found_and_made_small(
    kind: str, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "faulty.py"
    script.write_text(FAULTY.format(root=str(ROOT), kind=kind))

    def start(name: str, folder: Path, words: list[str], out: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(script), name, f"--folder={folder}", *words]
        return subprocess.Popen(command, stdout=out, stderr=out)  # type: ignore[call-overload]

    monkeypatch.setattr(campaign, "start", start)
    monkeypatch.setattr(campaign, "HANG_S", 0.5)
    cases = 40 if kind == "hang" else 120
    plan = Plan(tmp_path / "made", seconds=600.0, cases=cases, seed=SEED, plain=True)
    summary = campaign.run(["faulty"], plan, processes=1, tell=print)
    assert {kind: summary[kind] for kind in KINDS if summary[kind]} == ({found: 1} if found else {})
    assert is_clean(summary) == (not found)
    assert summary["cases"] >= cases
    inputs = [path.read_bytes() for _, path in load(tmp_path / "made" / "faulty" / "findings")]
    assert len(inputs) == bool(found)
    assert all(b"!" in data for data in inputs)
    if found in ("outside", "exception"):
        assert inputs == [b"!"]


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_seeds_are_right(name: str, tmp_path: Path) -> None:
    chosen = target(name)
    chosen.run(chosen.seeds()[0], tmp_path)


@pytest.mark.parametrize("module", MODULES)
def test_every_target_is_in_the_table_of_its_module(module: str) -> None:
    assert set(makers(module)) == set(MODULES[module])


def test_what_is_left_of_an_input() -> None:
    data = bytes(range(200))
    assert minimised(data, lambda part: 7 in part and 150 in part, 1000) == bytes([7, 150])
    assert minimised(data, lambda part: True, 3) != data
    assert minimised(data, lambda part: False, 1000) == data


@pytest.mark.slow
def test_the_command_says_what_it_found_and_ends_so(tmp_path: Path) -> None:
    words = ["--only=manifest", "--cases=30", "--minutes=2", "--plain", f"--out={tmp_path / 'out'}"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzzing", *words],
        cwd=ROOT,
        env={**os.environ},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary == json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["targets"]["manifest"]["cases"] >= 30
    assert summary["engine"] == "plain mutation"


def test_the_corpus_of_the_repository_is_small() -> None:
    files = [path for path in (ROOT / "tests" / "fuzzing" / "corpus").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 2 << 20
    assert {path.parent.name for path in files} <= {*names(), "real-models"}
