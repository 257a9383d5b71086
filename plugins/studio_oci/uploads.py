"""Uploads of blobs: in one piece, or in chunks that continue after a broken connection."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from studio.api import Progress, TargetError
from studio_oci.transport.channel import Channel, RegistryAnswer, RegistryRefusal

CHUNK = 64 << 20
_MOST_FAILURES = 3
_RANGE = re.compile(r"0-(\d{1,15})")
_OCTETS = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class BlobContent:
    """Content of a blob, which can be read again from any place in it.

    Attributes:
        read: Yields the bytes from a position on.
    """

    title: str
    digest: str
    size: int
    read: Callable[[int], Iterable[bytes]]


class Uploads:
    """Sends blobs to one registry.

    Attributes:
        chunk: Bytes of a request; larger blobs travel in several.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.chunk = CHUNK

    def mount(self, repository: str, digest: str, source: str) -> bool:
        """Take a blob over from another repository; returns whether the registry did."""
        query = urlencode({"mount": digest, "from": source})
        answer = self._channel.ask(
            "POST",
            f"/v2/{repository}/blobs/uploads/?{query}",
            scope=_scope(repository),
            headers={"Content-Length": "0"},
        )
        return answer.status == 201

    def put(self, repository: str, content: BlobContent, progress: Progress) -> None:
        """Send a blob.

        Raises:
            TargetError: when the registry refuses it, or the connection breaks again and again.
        """
        scope = _scope(repository)
        opened = self._channel.ask(
            "POST",
            f"/v2/{repository}/blobs/uploads/",
            scope=scope,
            headers={"Content-Length": "0"},
        )
        place = self._place(opened.headers)
        least = opened.headers.get("oci-chunk-min-length") or "0"
        chunk = max(self.chunk, int(least) if least.isdecimal() and len(least) < 12 else 0)
        if content.size <= chunk:
            self._finish(place, content, scope, progress)
            return
        place = self._chunks(place, content, chunk, scope, progress)
        self._finish(
            place, BlobContent(content.title, content.digest, 0, _nothing), scope, progress
        )

    def _chunks(
        self, place: str, content: BlobContent, chunk: int, scope: str, progress: Progress
    ) -> str:
        """Send all bytes; returns where the upload is to be finished."""
        at = failures = 0
        while at < content.size:
            length = min(chunk, content.size - at)
            try:
                answer = self._patch(place, content, at, length, scope, progress)
                at += length
            except RegistryRefusal:
                raise
            except TargetError:
                failures += 1
                if failures > _MOST_FAILURES:
                    raise
                answer = self._channel.ask("GET", place, scope=scope)
                at = _received(answer, content.size)
            place = self._place(answer.headers, place)
        return place

    def _patch(
        self, place: str, content: BlobContent, at: int, length: int, scope: str, progress: Progress
    ) -> RegistryAnswer:
        headers = {
            "Content-Type": _OCTETS,
            "Content-Length": str(length),
            "Content-Range": f"{at}-{at + length - 1}",
        }
        pieces = lambda: _part(content, at, length, progress)  # noqa: E731
        return self._channel.send("PATCH", place, scope=scope, headers=headers, body=pieces)

    def _finish(self, place: str, content: BlobContent, scope: str, progress: Progress) -> None:
        joint = "&" if "?" in place else "?"
        address = f"{place}{joint}digest={quote(content.digest)}"
        headers = {"Content-Type": _OCTETS, "Content-Length": str(content.size)}
        pieces = lambda: _part(content, 0, content.size, progress)  # noqa: E731
        self._channel.send("PUT", address, scope=scope, headers=headers, body=pieces)

    def _place(self, headers: Mapping[str, str], otherwise: str = "") -> str:
        place = headers.get("location") or otherwise
        if not place:
            raise TargetError(
                f"The registry {self._channel.place.host} gives no place for an upload."
            )
        return place


def _part(content: BlobContent, at: int, length: int, progress: Progress) -> Iterator[bytes]:
    left = length
    for piece in content.read(at):
        if not left:
            return
        taken = piece[:left]
        left -= len(taken)
        progress.progress(at + length - left, content.size, f"Sending {content.title}")
        yield taken
    if left:
        raise TargetError(f"{content.title} has changed while it was sent.")


def _nothing(_: int) -> Iterable[bytes]:
    return ()


def _received(answer: RegistryAnswer, size: int) -> int:
    found = _RANGE.fullmatch(answer.headers.get("range") or "")
    return min(int(found[1]) + 1, size) if found else 0


def _scope(repository: str) -> str:
    return f"repository:{quote(repository)}:pull,push"
