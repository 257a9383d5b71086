"""Reader of an artefact that another program has unpacked: a folder with one file a member."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO, Dict, Iterator

from .artefact import CHUNK, SMALL, Artefact
from .errors import PullError


class ArtefactFolder(Artefact):
    """An artefact in a folder; only regular files count, and links are not followed."""

    def __init__(self, folder: Path) -> None:
        """Read the small members and look at the sizes of the others.

        Raises:
            PullError: when the folder is no artefact, or lacks a file of its bundle.
        """
        self._folder = folder
        super().__init__({name: self._small(name) for name in SMALL}, self._sizes())

    def content(self, digest: str) -> Iterator[bytes]:
        """Yield the content of a file of the bundle, in pieces."""
        with opened(self._folder / digest) as file:
            for piece in iter(lambda: file.read(CHUNK), b""):
                yield piece

    def _small(self, name: str) -> bytes:
        path = self._folder / name
        if not os.path.lexists(str(path)):
            return b""
        with opened(path) as file:
            found = file.read(SMALL[name] + 1)
        if len(found) > SMALL[name]:
            raise PullError("The artefact's {} is too large.".format(name))
        return found

    def _sizes(self) -> Dict[str, int]:
        try:
            with os.scandir(str(self._folder)) as entries:
                return {
                    one.name: one.stat(follow_symlinks=False).st_size
                    for one in entries
                    if one.is_file(follow_symlinks=False)
                }
        except OSError as error:
            sentence = "The folder {} cannot be read: {}."
            raise PullError(sentence.format(self._folder, error.strerror)) from None


def opened(path: Path) -> BinaryIO:
    """Open a regular file for reading; anything else could lead elsewhere, or never end.

    Raises:
        PullError: when it cannot be opened, or is no regular file.
    """
    try:
        handle = os.open(str(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        sentence = "The artefact's {} cannot be read: {}."
        raise PullError(sentence.format(path.name, error.strerror)) from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise PullError("The artefact's {} is no file.".format(path.name))
    return os.fdopen(handle, "rb")
