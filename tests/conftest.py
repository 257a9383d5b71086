"""Ground rules of all tests: an empty home, no display, no telemetry, nothing left behind."""

from __future__ import annotations

import functools
import gc
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

Need = Callable[..., str]

TOO_SLOW = HealthCheck.too_slow
_MARKS = ("slow", "rig")
_REST = "(" + " or ".join(_MARKS) + ") and not long"
"""What ``make test-rest`` selects."""
IN_CI = os.environ.get("CI") == "true"
_PLACES = os.pathsep.join(("/usr/local/sbin", "/usr/sbin", "/sbin"))
_folder = Path()
_children_before: set[int] = set()
_left_by_workers: list[str] = []


def pytest_configure(config: pytest.Config) -> None:
    """Point everything that is read from the environment to a folder of this run."""
    global _folder
    config.addinivalue_line("markers", "needs(*programs): the test drives these programs")
    _folder = Path(tempfile.mkdtemp(prefix="edgewright-tests-"))
    home = _folder / "home"
    home.mkdir()
    for name in [name for name in os.environ if name.startswith(("XDG_", "EDGEWRIGHT_"))]:
        del os.environ[name]
    runtime = _folder / "run"
    runtime.mkdir(mode=0o700)  # Qt warns about a runtime folder that others could enter
    os.environ.update(
        HOME=str(home),
        EDGEWRIGHT_HOME=str(_folder / "edgewright"),
        XDG_RUNTIME_DIR=str(runtime),
        ORT_DISABLE_TELEMETRY="1",
        EDGEWRIGHT_SERVICE="process",  # no test leaves a unit on this machine
        MPLBACKEND="Agg",
    )
    os.environ.pop("SSH_AUTH_SOCK", None)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    _children_before.update(_children())
    # How long an example takes says how busy the machine is, and nothing about the product.
    settings.register_profile("any machine", deadline=None, suppress_health_check=[TOO_SLOW])
    settings.load_profile("any machine")
    if hasattr(config, "workerinput"):  # one of several processes that share the tests
        from tests.rigs.bytecode import make_share

        make_share(config)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Read no file for the long tests in which none of them is."""
    is_file = collection_path.name.startswith("test_") and collection_path.suffix == ".py"
    if config.option.markexpr != _REST or not is_file:
        return None
    return None if _marks_in(collection_path) else True


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest first, and refuse a mark of a long test that its file does not name.

    It would be run by no command.
    """
    from tests.rigs.shares import sort_by_length

    sort_by_length(items)
    for item in items:
        if any(map(item.get_closest_marker, _MARKS)) and not _marks_in(item.path):
            raise pytest.UsageError(f"{item.nodeid} has a mark that {item.path.name} does not name")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share the files out as ``Shares`` does where files are to stay whole."""
    if config.getvalue("dist") != "loadfile":
        return None
    from tests.rigs.shares import Shares

    return Shares(config, log)


@functools.cache
def _marks_in(path: Path) -> bool:
    text = path.read_text(encoding="utf-8")
    return any(f"mark.{name}" in text for name in _MARKS)


def pytest_collection() -> None:
    """Look for no garbage while the tests are found, which all stay."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Take ten thousand tests, which stay, out of each search for garbage that the tests cause."""
    gc.collect()
    gc.freeze()
    gc.enable()


def pytest_unconfigure() -> None:
    """Remove the folder of this run; the registry's store is read-only and must be opened first."""
    for folder, _, _ in os.walk(_folder):
        os.chmod(folder, 0o700)
    shutil.rmtree(_folder, ignore_errors=True)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Apply the marker ``needs``."""
    for mark in item.iter_markers("needs"):
        for program in mark.args:
            _need(program)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail the run when a thread or a child process outlives the last test."""
    from tests.rigs import warm_start

    warm_start.end()
    left = [*_left_by_workers, *_left_behind(seconds=5)]
    if hasattr(session.config, "workeroutput"):  # one of several processes that share the tests
        session.config.workeroutput["left"] = left
        return
    if left and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    for text in left:
        session.config.get_terminal_writer().line(f"\nERROR: left behind: {text}", red=True)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What a process that ran a share of the tests found left behind is the whole run's."""
    _left_by_workers.extend(getattr(node, "workeroutput", {}).get("left", ()))


@pytest.fixture(scope="session")
def need() -> Need:
    """``need("sshd")``: the program's path; without it the test is skipped, and in CI fails."""
    return _need


@pytest.fixture
def studio_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An EDGEWRIGHT_HOME of this test alone."""
    home = tmp_path / "edgewright"
    monkeypatch.setenv("EDGEWRIGHT_HOME", str(home))
    yield home
    for folder, _, _ in os.walk(home):
        os.chmod(folder, 0o700)


def _need(program: str, reason: str = "") -> str:
    path = shutil.which(program, path=os.environ.get("PATH", "") + os.pathsep + _PLACES)
    if path is not None:
        return path
    text = f"{program} is not installed{': ' + reason if reason else ''}"
    if IN_CI:
        pytest.fail(f"{text} (a part that is missing in CI is a failure)", pytrace=False)
    pytest.skip(text)


def _left_behind(seconds: float) -> list[str]:
    """Threads and children that are still there after a grace time."""
    deadline = time.monotonic() + seconds
    while (left := [*_threads(), *_processes()]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def _threads() -> list[str]:
    return [
        f"thread {thread.name}"
        for thread in threading.enumerate()
        if not thread.daemon and thread is not threading.main_thread()
    ]


def _processes() -> list[str]:
    texts = []
    for child in _children() - _children_before:
        try:
            command = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ")
        except OSError:
            continue
        if command:  # a zombie has none: it ended, and only waits to be asked
            texts.append(f"process {child}: {command.decode(errors='replace')[:120]}")
    return texts


def _children() -> set[int]:
    """Process numbers of this process's children."""
    found: set[int] = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # "number (name) state parent ...": the name may hold spaces and brackets.
            parent = stat.read_text().rpartition(")")[2].split()[1]
        except (OSError, IndexError):
            continue
        if int(parent) == os.getpid():
            found.add(int(stat.parent.name))
    return found
