"""The switch for keeping requests: a note for the server, taken away where it is not meant."""

from __future__ import annotations

from typing import Any, Mapping, Optional, Tuple

from ..serve.sampling_wish import FILE, MOST, SamplingWish
from .errors import ReleaseError
from .files import remove, write_atomically
from .layout import Layout


def sampling_of(request: Mapping[str, Any]) -> Optional[Tuple[int, int]]:
    """Samples and bytes that may be kept at most; None where none may.

    Args:
        request: May have ``sampling``: ``most`` and ``bytes``.

    Raises:
        ReleaseError: when they are no such numbers.
    """
    asked = request.get("sampling")
    if not asked:
        return None
    try:
        most, size = int(asked["most"]), int(asked["bytes"])
    except (KeyError, TypeError, ValueError):
        raise ReleaseError("bad-request", "Samples to keep are a number and bytes.") from None
    if not most:
        return None
    if not 0 < most <= MOST or size <= 0:
        raise ReleaseError("bad-request", "At most {} samples can be kept.".format(MOST))
    return most, size


def allow(layout: Layout, digest: str, allowed: Optional[Tuple[int, int]]) -> None:
    """Let the server of a release keep samples, or no server any more."""
    path = layout.run / FILE
    if allowed is None:
        remove(path)
    else:
        write_atomically(path, SamplingWish(digest, *allowed).content(), 0o600)
