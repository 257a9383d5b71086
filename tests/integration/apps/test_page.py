"""The page of an app in a real browser: it shows the live pictures of the app."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.unit.runtime.serve.apps.test_stream import start, state
from tests.unit.runtime.serve.rig import wait_until

pytestmark = pytest.mark.needs("chromium")


def test_a_browser_shows_live_pictures_on_the_page(tmp_path: Path) -> None:
    with start(tmp_path) as server:
        browser = subprocess.Popen(
            [
                *("chromium", "--headless=new", "--no-sandbox", "--disable-gpu"),
                *("--disable-dev-shm-usage", f"--user-data-dir={tmp_path / 'profile'}"),
                *("--remote-debugging-port=0", f"http://127.0.0.1:{server.port}/app"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until(lambda: state(server)["clients"] == 1, "the client of the page", 60)
            sent = state(server)["sent"]
            wait_until(lambda: state(server)["sent"] > sent + 5, "pictures", 60)
        finally:
            browser.terminate()
            browser.wait(20)
        wait_until(lambda: state(server)["clients"] == 0, "the end of the page", 60)
