"""A virtual screen, its picture, and a person's hands on its keyboard."""

from __future__ import annotations

import os
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PIL import Image, ImageChops

from tests.rigs.patience import patience

T = TypeVar("T")
SIZE = (1280, 800)
PATIENCE = 90.0
_FEW_COLORS = 64
_STILL = 0.4  # seconds without a change
_REACTION = 3.0  # seconds that a person waits for what a key does before pressing the next


class Screen:
    """An X server without a monitor; keys reach the window that has the focus."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "Xvfb_screen0"
        reading, writing = os.pipe()
        width, height = SIZE
        self._server = subprocess.Popen(
            [
                *("Xvfb", "-displayfd", str(writing), "-nolisten", "tcp", "-fbdir", str(folder)),
                # Else it starts again when its last client leaves, and refuses who comes then.
                # A key must not repeat when a busy machine is slow to let it go (-r).
                *("-noreset", "-r", "-screen", "0", f"{width}x{height}x24", "-dpi", "96"),
            ],
            pass_fds=(writing,),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(writing)
        with os.fdopen(reading) as answer:
            self.display = f":{answer.readline().strip()}"

    def close(self) -> None:
        """End the server, and with it every window."""
        self._server.terminate()
        self._server.wait()

    def pixels(self) -> bytes:
        """The picture as it is, four bytes a pixel (blue, green, red, nothing)."""
        content = self._file.read_bytes()
        # XWD: the header says its own length; behind it stand the colour map and the pixels.
        length, colours = (
            struct.unpack(">I", content[:4])[0],
            struct.unpack(">I", content[76:80])[0],
        )
        start = length + 12 * colours
        return content[start : start + 4 * SIZE[0] * SIZE[1]]

    def save(self, path: Path) -> None:
        """Keep the picture."""
        Image.frombytes("RGB", SIZE, self.pixels(), "raw", "BGRX").save(path)

    def settle(self, seconds: float = PATIENCE) -> bytes:
        """Wait until the picture stands still, or for so long; returns it.

        A page that shows something live never stands still, so this is no test by itself.
        """
        deadline = time.monotonic() + patience(seconds)
        picture, since = self.pixels(), time.monotonic()
        while time.monotonic() - since < _STILL and time.monotonic() < deadline:
            time.sleep(0.05)
            now = self.pixels()
            if now != picture:
                picture, since = now, time.monotonic()
        return picture

    def changes(self, before: bytes) -> bytes:
        """Wait until the picture differs, then until it stands still again."""
        wait_for(lambda: self.pixels() != before, "nothing changed on the screen")
        return self.settle()

    def focus(self, title: str) -> None:
        """Wait for a window and give it the keyboard (there is no window manager to do it)."""
        found = wait_for(lambda: self._find(title), f"no window called {title!r}")
        self._do("windowfocus", "--sync", found)
        self.settle(_REACTION)

    def press(self, *keys: str) -> None:
        """Press keys one after the other (``ctrl+k``, ``Return``)."""
        self._do("key", "--delay", "20", *keys)
        self.settle(_REACTION)

    def type(self, text: str) -> None:
        """Type a text."""
        self._do("type", "--delay", "8", text)
        self.settle(_REACTION)

    def click(self, x: int, y: int) -> None:
        """Move the mouse there and press its left button."""
        self.move(x, y)
        self._do("click", "1")

    def press_button(self, x: int, y: int) -> None:
        """Move the mouse there and hold its left button down."""
        self.move(x, y)
        self._do("mousedown", "1")

    def move(self, x: int, y: int) -> None:
        """Move the mouse there."""
        self._do("mousemove", "--sync", str(x), str(y))

    def release_button(self) -> None:
        """Let the left button of the mouse go."""
        self._do("mouseup", "1")

    def changed_in(self, box: tuple[int, int, int, int], before: bytes) -> float:
        """Return which share of the pixels in a part differs from an earlier picture."""
        pictures = [
            Image.frombytes("RGB", SIZE, one, "raw", "BGRX").crop(box)
            for one in (before, self.pixels())
        ]
        differing = ImageChops.difference(*pictures).convert("L").histogram()[1:]
        return sum(differing) / (pictures[0].width * pictures[0].height)

    def is_drawn(self) -> bool:
        """Whether some window has drawn itself: an empty one has a colour or two."""
        picture = Image.frombytes("RGB", SIZE, self.pixels(), "raw", "BGRX")
        return picture.getcolors(_FEW_COLORS) is None

    def has_window(self, title: str) -> bool:
        """Whether a window with that title can be seen."""
        return bool(self._find(title))

    def _find(self, title: str) -> str:
        done = self._run("search", "--onlyvisible", "--name", title)
        return done.stdout.split("\n")[0]

    def _do(self, *words: str) -> None:
        done = self._run(*words)
        assert done.returncode == 0, done.stderr

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["xdotool", *words],
            env={**os.environ, "DISPLAY": self.display},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def wait_for(look: Callable[[], T], otherwise: str, seconds: float = PATIENCE) -> T:
    """Wait until ``look`` returns something true; returns it."""
    deadline = time.monotonic() + patience(seconds)
    while not (found := look()):
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.05)
    return found
