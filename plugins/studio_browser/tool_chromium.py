"""A headless Chromium and its DevTools protocol, over two pipes.

Used by the tool next to it. It needs the standard library alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import resource
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = "Chromium is not installed. Install the package chromium (Debian: apt install chromium)"

_DIRECT = ("/usr/lib/chromium/chromium", "/usr/lib64/chromium-browser/chromium-browser")
"""Behind the scripts of distributions, whose settings no walled process sees."""

_GRACE_S = 3.0
_START_S = 60.0
_TEMPORARY = "/tmp"
"""Chromium has a socket there, whose path is limited to 107 characters."""

_MOST_BYTES = 1 << 28
_MOST_PRINTED = 1 << 16
_FILE_BYTES = 1 << 31
_NEW_USER = 0x10000000
_END_WITH_PARENT = 1
_HIGH = 10
_QUIET = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--metrics-recording-only",
    "--mute-audio",
    "--no-pings",
    "--password-store=basic",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
)


class BrowserError(Exception):
    """A browser that does not start, crashes or hangs; the text is a sentence without its dot."""


def program() -> str:
    """Return the path of Chromium.

    Raises:
        BrowserError: when it is not installed.
    """
    for name in (*_DIRECT, *NAMES):
        found = shutil.which(name)
        if found:
            return found
    raise BrowserError(MISSING)


class DevToolsPage:
    """An open page, by the DevTools protocol.

    Attributes:
        console: Lines that the page has printed.
    """

    def __init__(self, process: subprocess.Popen[bytes], log: str, pipes: tuple[int, int]) -> None:
        self._process, self._log = process, log
        self._writes, self._reads = pipes
        self._number, self._session, self._rest = 0, "", b""
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._reads, selectors.EVENT_READ)
        self.console: list[str] = []

    def open(self, url: str) -> None:
        """Open a page; its console is followed."""
        until = time.monotonic() + _START_S
        target = self._call("Target.createTarget", {"url": "about:blank"}, until)["targetId"]
        words = {"targetId": target, "flatten": True}
        self._session = self._call("Target.attachToTarget", words, until)["sessionId"]
        for name in ("Runtime.enable", "Inspector.enable", "Page.enable"):
            self._call(name, {}, until)
        self._call("Page.navigate", {"url": url}, until)

    def value(self, expression: str, seconds: float) -> Any:
        """Return the value of an expression, which may be a promise.

        Raises:
            BrowserError: when it has no answer in time.
        """
        words = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        found = self._call("Runtime.evaluate", words, time.monotonic() + seconds)
        if "exceptionDetails" in found:
            thrown = found["exceptionDetails"]
            text = thrown.get("exception", {}).get("description") or thrown.get("text", "")
            raise BrowserError(f"The page failed: {' '.join(text.split())[:500]}")
        return found["result"].get("value")

    def _call(self, method: str, words: dict[str, Any], until: float) -> dict[str, Any]:
        self._number += 1
        call = {"id": self._number, "method": method, "params": words}
        if self._session:
            call["sessionId"] = self._session
        try:
            os.write(self._writes, json.dumps(call).encode() + b"\0")
        except BrokenPipeError:
            raise BrowserError(self._ended()) from None
        while True:
            found = self._next(until)
            if found.get("id") == self._number:
                if "error" in found:
                    raise BrowserError(f"Chromium refuses {method}: {found['error']['message']}")
                result: dict[str, Any] = found["result"]
                return result
            self._note(found)

    def _note(self, event: dict[str, Any]) -> None:
        method, words = event.get("method"), event.get("params", {})
        if method == "Runtime.consoleAPICalled":
            parts = (str(one.get("value", one.get("description", ""))) for one in words["args"])
            self.console.append(" ".join(parts))
        elif method == "Inspector.targetCrashed":
            raise BrowserError("The page crashed; it may need more memory than there is")

    def _next(self, until: float) -> dict[str, Any]:
        """Return the next message."""
        while b"\0" not in self._rest:
            if time.monotonic() > until:
                raise BrowserError("The browser did not answer in time and was stopped")
            if not self._selector.select(1.0):
                continue
            part = os.read(self._reads, 1 << 20)
            if not part:
                raise BrowserError(self._ended())
            self._rest += part
            if len(self._rest) > _MOST_BYTES:
                raise BrowserError("The browser answered with too much")
        line, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message

    def _ended(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_S)
        status = self._process.poll() or 0
        how = f"by signal {-status}" if status < 0 else f"with status {status}"
        return f"Chromium ended {how}{self._last_words()}"

    def _last_words(self) -> str:
        """Return the error that it has printed last."""
        with open(self._log, "rb") as file:
            lines = file.read()[-_MOST_PRINTED:].decode("utf-8", "replace").splitlines()
        fatal = [line for line in lines if ":FATAL:" in line]
        return f": {fatal[-1].rpartition('] ')[2][:300].rstrip('.')}" if fatal else ""


@contextmanager
def page(profile: str, log: str) -> Iterator[DevToolsPage]:
    """Start Chromium; it is ended with all its processes.

    Args:
        profile: A folder for its profile.
        log: A file for what it prints.
    """
    ours, theirs = os.pipe(), os.pipe()
    place = _TEMPORARY if os.access(_TEMPORARY, os.W_OK) else profile
    short = tempfile.mkdtemp(prefix="ew-", dir=place)
    command = [program(), *_QUIET, f"--user-data-dir={profile}"]
    if not _can_make_namespaces():
        # The walls around this process allow no other ones inside; Chromium would not start.
        command.append("--no-sandbox")
    start = [sys.executable, "-I", os.path.abspath(__file__), str(ours[0]), str(theirs[1])]
    with open(log, "wb") as printed:
        process = subprocess.Popen(
            [*start, *command],
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=printed,
            pass_fds=(ours[0], theirs[1]),
            cwd=profile,
            env={**os.environ, "HOME": profile, "XDG_CONFIG_HOME": profile, "TMPDIR": short},
            start_new_session=True,
        )
    os.close(ours[0])
    os.close(theirs[1])
    try:
        yield DevToolsPage(process, log, (ours[1], theirs[0]))
    finally:
        _end(process)
        os.close(ours[1])
        os.close(theirs[0])
        shutil.rmtree(short, ignore_errors=True)


def _can_make_namespaces() -> bool:
    """Return whether Chromium's own sandbox can start: root has none, nor has a walled process."""
    if os.geteuid() == 0:
        return False
    child = os.fork()
    if child == 0:
        os._exit(0 if ctypes.CDLL(None).unshare(_NEW_USER) == 0 else 1)
    return os.waitpid(child, 0)[1] == 0


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def main() -> None:
    """Become the command: its pipes get the numbers 3 and 4, and it ends with its parent."""
    ctypes.CDLL(None).prctl(_END_WITH_PARENT, signal.SIGKILL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (_FILE_BYTES, _FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Out of reach of the two numbers first: either may have the other's.
    reads, writes = (fcntl.fcntl(int(one), fcntl.F_DUPFD, _HIGH) for one in sys.argv[1:3])
    os.dup2(reads, 3)
    os.dup2(writes, 4)
    os.execv(sys.argv[3], sys.argv[3:])


if __name__ == "__main__":
    main()
