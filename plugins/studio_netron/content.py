"""Files that Netron's page may read: its static files, without network calls, and one model.

| the page as it is published                    | here                                        |
|------------------------------------------------|---------------------------------------------|
| counts its visitors at an analytics service    | version 0.0.0, for which it counts nothing  |
| asks a service where its user is, for consent  | the answer stands in the page's cookies     |
| refuses to work 180 days after its release     | its date is today                           |
| may talk to any host                           | a policy: nothing but where it came from    |
"""

from __future__ import annotations

import html
import importlib.util
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, unquote

from studio.api import InvalidModel, Unavailable

POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self' blob:;"
    " connect-src 'self' data: blob:; img-src 'self' data: blob:;"
    " style-src 'self' 'unsafe-inline'; font-src 'self' data:;"
    " base-uri 'none'; form-action 'none'; frame-src 'none'; object-src 'none'"
)
"""What the page may load and talk to, as its Content-Security-Policy."""

PRELUDE = b"""'use strict';
Object.defineProperty(document, 'cookie', { get: () => 'consent=1', set: () => {} });
window.open = () => null;
"""
"""Runs before Netron's own scripts: consent is answered, and nothing is kept."""

_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".css": "text/css; charset=utf-8",
    ".png": "image/png",
    ".ico": "image/x-icon",
}
_CHUNK = 2**20
_HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)
_OLD = re.compile(
    r"""<meta\s+(?:http-equiv="Content-Security-Policy"|name="(?:version|date|file|identifier)")"""
    r"[^>]*>\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """Response to one request of the page.

    Attributes:
        body: Its bytes; None for the model, which is read in pieces.
    """

    content_type: str
    size: int
    body: bytes | None


class Content:
    """Files of Netron's page for one model.

    The file is opened once and stays that file, whatever comes to its name later.

    Attributes:
        name: The model's file name.

    Raises:
        InvalidModel: when the file is missing or of a format that Netron cannot show.
        Unavailable: when netron is not installed, or its page is not what is known of it.
    """

    def __init__(self, model: Path) -> None:
        self.name = model.name
        self._folder = static_folder()
        self._static = frozenset(
            one.name for one in self._folder.iterdir() if one.suffix in _TYPES and one.is_file()
        )
        self._file = _opened(model)
        self._size = os.fstat(self._file).st_size
        self._index = _index(self._folder, self.name)

    def close(self) -> None:
        """Let go of the model's file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def answer(self, path: str) -> Answer | None:
        """Return the content at a path below the page's root, or None for any other path.

        Args:
            path: Without the leading slash and the query, as it stands in a URL.
        """
        if path in ("", "index.html"):
            return Answer("text/html; charset=utf-8", len(self._index), self._index)
        if path == "prelude.js":
            return Answer(_TYPES[".js"], len(PRELUDE), PRELUDE)
        if unquote(path) == f"model/{self.name}":
            return Answer("application/octet-stream", self._size, None)
        if path in self._static:
            body = (self._folder / path).read_bytes()
            return Answer(_TYPES[Path(path).suffix], len(body), body)
        return None

    def place(self) -> str:
        """Return a name under which this process can reopen the file, even after a rename.

        Reading it is left to who does not hold up the window.
        """
        return f"/dev/fd/{self._file}"

    def model(self) -> Iterator[bytes]:
        """Yield the model in pieces."""
        for place in range(0, self._size, _CHUNK):
            yield os.pread(self._file, min(_CHUNK, self._size - place), place)


def static_folder() -> Path:
    """Return the folder of Netron's static files, without importing its Python.

    Raises:
        Unavailable: when it is not installed.
    """
    found = importlib.util.find_spec("netron")
    if found is None or not found.submodule_search_locations:
        raise Unavailable(
            "Netron is not installed.",
            hint="Install Edgewright again: its package netron is missing.",
        )
    return Path(next(iter(found.submodule_search_locations)))


def _opened(model: Path) -> int:
    try:
        file = os.open(model, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise InvalidModel(f"{model.name} cannot be read: {error.strerror}.") from None
    status = os.fstat(file)
    if not stat.S_ISREG(status.st_mode) or not status.st_size:
        os.close(file)
        kind = "empty" if stat.S_ISREG(status.st_mode) else "not a regular file"
        raise InvalidModel(f"{model.name} is {kind}.")
    return file


def _index(folder: Path, name: str) -> bytes:
    """Return the page with the studio's head: its restrictions and its model."""
    text = (folder / "index.html").read_text("utf-8")
    today = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    head = "\n".join((
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(POLICY)}">',
        '<meta name="version" content="0.0.0">',
        f'<meta name="date" content="{today}">',
        f'<meta name="file" content="model/{html.escape(quote(name))}">',
        f'<meta name="identifier" content="{html.escape(name)}">',
        '<script src="prelude.js"></script>',
    ))  # fmt: skip
    stripped, removed = _OLD.subn("", text)
    changed, times = _HEAD.subn(lambda found: f"{found[0]}\n{head}", stripped, count=1)
    if times != 1 or removed < 3:
        raise Unavailable("Netron's page is not as it is known; this version is not used.")
    return changed.encode("utf-8")
