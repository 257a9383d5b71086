"""The start of the window: nothing heavy before the first paint, and refusals in a sentence."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from studio.api import Unavailable
from studio.gui.app import make_application, refuse_broken_pair
from studio.gui.bridge import Bridge

HEAVY = ("onnx", "onnxruntime", "matplotlib", "paramiko", "docker", "numpy", "PIL", "sqlite3")
START = """
import sys
from studio.gui.app import _wait_for_first_paint, make_application, make_window
from studio.settings import Paths
application = make_application()
window = make_window(Paths.of())
window.show()
_wait_for_first_paint(window)
assert window._is_painted
print(*sorted({name.partition(".")[0] for name in sys.modules}))
print(*sorted(name for name in sys.modules if name.startswith("studio.")))
"""
IMPORT = """
import sys
from studio.gui.app import make_application
application = make_application()
sys.path.insert(0, sys.argv[1])
import of_pieces
import PySide6.QtCore
"""


def test_no_source_of_a_module_is_read_when_it_is_imported(tmp_path: Path) -> None:
    """Pydantic's modules have such a function, which cannot answer while they are imported."""
    (tmp_path / "of_pieces.py").write_text("def __getattr__(name):\n    raise ImportError(name)\n")
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_nothing_heavy_before_the_first_paint() -> None:
    done = subprocess.run(
        [sys.executable, "-c", START], capture_output=True, text=True, timeout=60, check=True
    )
    top, ours = (set(line.split()) for line in done.stdout.splitlines()[-2:])
    assert top & set(HEAVY) == set()
    assert "studio.workspace" not in ours
    assert not [name for name in ours if name.startswith("studio_")]


def test_broken_pair_is_refused_with_a_way_out() -> None:
    with pytest.raises(Unavailable, match=r"PySide6 6\.12\.0 does not work") as refusal:
        refuse_broken_pair("6.12.0", (3, 11))
    assert "6.11.3" in refusal.value.hint


@pytest.mark.parametrize(
    ("pyside", "python"), [("6.11.3", (3, 11)), ("6.12.0", (3, 12)), ("6.12.1", (3, 11))]
)
def test_other_pairs_are_not_refused(pyside: str, python: tuple[int, int]) -> None:
    refuse_broken_pair(pyside, python)


def test_missing_display_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Unavailable, match="no display"):
        make_application()


def test_setting_text_keeps_the_references_to_none(qtbot: QtBot) -> None:
    label = QLabel()
    qtbot.addWidget(label)
    before = sys.getrefcount(None)
    for number in range(1000):
        label.setText(str(number))
    # 6.12.0 on Python 3.11 loses one at each call; other code may let a few go meanwhile.
    assert sys.getrefcount(None) > before - 100


def test_bridge_runs_calls_of_other_threads_on_its_own_in_order(qtbot: QtBot) -> None:
    bridge = Bridge()
    seen: list[tuple[int, int]] = []

    def call(number: int) -> Callable[[], None]:
        return lambda: seen.append((number, threading.get_ident()))

    def send() -> None:
        for number in range(50):
            bridge.deliver(call(number))

    thread = threading.Thread(target=send)
    thread.start()
    thread.join()
    assert seen == []
    qtbot.waitUntil(lambda: len(seen) == 50)
    assert seen == [(number, threading.get_ident()) for number in range(50)]


def test_calls_that_take_long_leave_turns_to_the_user(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.gui.bridge.MOST_S", 0.0)  # each call takes longer
    bridge = Bridge()
    seen: list[str] = []
    for name in ("first", "second", "third"):
        bridge.deliver(partial(seen.append, name))
    QCoreApplication.sendPostedEvents(bridge)  # all that was delivered arrives in one turn
    assert seen == ["first"]
    assert bridge._rest.isActive(), "the others have turns of their own"
    qtbot.waitUntil(lambda: len(seen) == 3)
    assert seen == ["first", "second", "third"]


def test_a_call_that_fails_holds_up_no_other(qtbot: QtBot) -> None:
    bridge = Bridge()
    seen: list[int] = []

    def fail() -> None:
        raise ValueError("of the first call")

    bridge.deliver(fail)
    bridge.deliver(lambda: seen.append(2))
    with qtbot.captureExceptions() as failures:
        qtbot.waitUntil(lambda: seen == [2])
    assert [kind for kind, _, _ in failures] == [ValueError]


def test_closed_bridge_drops_what_comes_late(qtbot: QtBot) -> None:
    bridge = Bridge()
    seen: list[int] = []
    bridge.deliver(lambda: seen.append(1))
    bridge.close()
    bridge.deliver(lambda: seen.append(2))
    probe = Bridge()
    with qtbot.waitCallback() as arrived:
        probe.deliver(arrived)
    assert seen == []
