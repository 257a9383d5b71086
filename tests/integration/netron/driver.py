"""Shows one model as the panel does, and prints as JSON what the page did. Runs beside the studio.

Arguments: the model, and ``open`` to leave out the page's policy, so that only the guard is left.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["QTWEBENGINE_CHROMIUM_FLAGS"] = "--no-sandbox --disable-gpu"  # tests run as root

from PySide6.QtCore import QCoreApplication, QEventLoop, Qt, QTimer
from PySide6.QtWidgets import QApplication

from studio_netron import content, panel

PATIENCE_S = 60.0
OUTSIDE = "https://example.com/"


def main() -> None:
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)
    application = QApplication([])
    if "open" in sys.argv[2:]:
        content.POLICY = "default-src * 'unsafe-inline' data: blob:"
    asked: list[tuple[str, bool]] = []
    view: Any = panel.web_view(Path(sys.argv[1]), lambda url, allowed: asked.append((url, allowed)))
    view.resize(1000, 700)
    view.show()
    until = time.monotonic() + PATIENCE_S
    while script(view, "document.body.className") != "default" and time.monotonic() < until:
        pause(200)
    found = {
        "title": script(view, "document.title"),
        "state": script(view, "document.body.className"),
        "nodes": script(view, "document.querySelectorAll('.node-item').length"),
        "text": script(view, "document.getElementById('canvas').textContent"),
        "cookie": script(view, "document.cookie"),
        "other": fetched(view, "model/other.bin"),
        "outside": fetched(view, OUTSIDE),
        "socket": script(view, "(() => { try { new WebSocket('ws://127.0.0.1:9/'); return 'made' } "
                               "catch (e) { return String(e) } })()"),
    }  # fmt: skip
    script(view, f"window.location = '{OUTSIDE}'")
    pause(500)
    found["url"] = view.url().toString()
    if len(sys.argv) > 3:
        view.grab().save(sys.argv[3])
    print(json.dumps({**found, "asked": asked}))
    sys.stdout.flush()
    view.close()
    view.deleteLater()
    pause(200)
    del view, application


def pause(milliseconds: int) -> None:
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def script(view: Any, text: str) -> Any:
    """What a line of JavaScript gives."""
    answers: list[Any] = []
    loop = QEventLoop()

    def heard(value: Any) -> None:
        answers.append(value)
        loop.quit()

    view.page().runJavaScript(text, heard)
    QTimer.singleShot(5000, loop.quit)
    loop.exec()
    return answers[0] if answers else None


def fetched(view: Any, url: str) -> Any:
    """The status of what the page fetches, or how that fails."""
    script(view, f"fetch('{url}').then(r => window.got = r.status, e => window.got = String(e)); 1")
    pause(500)
    return script(view, "window.got")


main()
