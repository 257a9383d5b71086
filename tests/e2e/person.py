"""A person at the window: its own process on a virtual screen, a mouse and a keyboard."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from studio.registry import Registry
from studio.registry.run_journal import REPORT_FILE, RUN_FILE, RunFolder
from studio.registry.run_records import RUNNING
from tests.e2e import button_place
from tests.e2e.conftest import STUDIO, Studio
from tests.e2e.screen import PATIENCE, Screen, wait_for
from tests.rigs.patience import patience

MAIN = "Edgewright"
ANOTHER = "another"
"""The profile in which the places of buttons are looked up; a copy of the person's, or empty."""
_LOOK_S = 10.0
_DIALOG = "Open a model"
_LAST_LINES = 30


class Person:
    """Somebody who uses the window, and looks at what came of it in the registry."""

    def __init__(self, screen: Screen, studio: Studio, pictures: Path) -> None:
        self.screen = screen
        self._pictures = pictures
        self._home = studio.home
        self._errors = studio.home / "window.log"
        self.environment = {
            **studio.environment,
            "DISPLAY": screen.display,
            "QT_QPA_PLATFORM": "xcb",
            "XDG_RUNTIME_DIR": str(studio.home),
        }
        with self._errors.open("w") as errors:
            self.process = subprocess.Popen(
                [str(STUDIO)], env=self.environment, stdin=subprocess.DEVNULL, stderr=errors
            )
        try:
            screen.focus(MAIN)
        except AssertionError as error:
            error.add_note(f"the window ended with {self.end()}: {self._errors.read_text()}")
            raise
        self.registry = Registry.open(studio.home / "edgewright" / "data" / "registry")

    def open(self, path: Path) -> None:
        """Ctrl+O, the path, Enter."""
        self.screen.press("ctrl+o")
        self.screen.focus(_DIALOG)
        self.screen.type(str(path))
        self.screen.press("Return")
        if self.screen.has_window(_DIALOG):  # Qt completes a path while it reads the folder
            self.screen.settle(_LOOK_S)
        if self.screen.has_window(_DIALOG):  # it went to the folder, and wants the name alone
            self.screen.type(str(path))
            self.screen.press("Return")
        self.screen.focus(MAIN)

    def command(self, text: str) -> None:
        """Choose something in the command palette."""
        self.screen.press("ctrl+k")
        self.screen.type(text)
        before = self.screen.pixels()
        self.screen.press("Return")
        self.screen.changes(before)  # else the next keys reach the palette on a slow machine

    def look(self, name: str) -> None:
        """Keep a picture; the window must still be there."""
        self.screen.settle(_LOOK_S)
        self.screen.save(self._pictures / f"{name}.png")
        assert self.process.poll() is None, self._errors.read_text()

    def end(self) -> int | None:
        """End the window at once; with what it had ended by itself before, if it had."""
        status = self.process.poll()
        self.process.kill()
        self.process.wait()
        return status

    def last_words(self) -> list[str]:
        """What the window wrote to standard error, and the end of its log."""
        log = self._home / "edgewright" / "data" / "logs" / "studio.log"
        kept = log.read_text().splitlines()[-_LAST_LINES:] if log.exists() else []
        return [*self._errors.read_text().splitlines(), *kept]

    def leave(self) -> str:
        """Ctrl+Q once no pipeline runs, else it asks; what was written to standard error.

        The last job of a pipeline makes its report.
        """
        wait_for(lambda: not self._runs_pipeline(), "a pipeline did not end", seconds=60)
        self.screen.press("ctrl+q")
        assert self.process.wait(30) == 0
        self.registry.close()
        return self._errors.read_text()

    def _runs_pipeline(self) -> bool:
        runs = (self._home / "edgewright" / "data" / "runs").glob(f"*/{RUN_FILE}")
        return any(
            RunFolder(run.parent).read().state == RUNNING or not run.with_name(REPORT_FILE).exists()
            for run in runs
        )


@pytest.fixture
def screen(tmp_path: Path) -> Iterator[Screen]:
    folder = tmp_path / "screen"
    folder.mkdir()
    screen = Screen(folder)
    yield screen
    screen.close()


@pytest.fixture
def person(screen: Screen, studio: Studio, tmp_path: Path) -> Iterator[Person]:
    person = Person(screen, studio, tmp_path)
    yield person
    person.registry.close()
    if person.process.poll() is None:
        screen.save(tmp_path / "last.png")
        print(*person.last_words(), sep="\n")
        person.end()


def place_of(
    name: str, person: Person, tmp_path: Path, model: Path | None = None, stage: str = ""
) -> tuple[int, int]:
    """Where a button is, in a second window as large, with a profile of its own."""

    done = subprocess.run(
        [sys.executable, "-m", button_place.__name__, name, str(model or ""), stage],
        env={**person.environment, "EDGEWRIGHT_HOME": str(tmp_path / ANOTHER)},
        capture_output=True,
        text=True,
        timeout=patience(PATIENCE),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    x, y = json.loads(done.stdout)
    return x, y


def names(person: Person) -> list[str]:
    return [variant.name for variant in person.registry.variants()]


def released(person: Person) -> Callable[[], bool]:
    return lambda: any(release.state == "serving" for release in person.registry.releases("local"))
