"""Notes of a deploy for the server: storage of requests and further comparison."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Iterator, Mapping, NamedTuple, Optional, Tuple

from ...decisions.config import FILE as KEEPING
from ...decisions.config import KeepingConfig, config_in
from ...shared.errors import ReleaseError
from ...shared.files import remove, write_atomically
from ...shared.records import read
from ...shared.sampling_config import FILE, MOST, SamplingConfig
from ...shared.trial_request import FILE as COMPARED
from ...shared.trial_request import MOST_SHARE, TrialRequest
from ..store.layout import Layout


class ObservationRequest(NamedTuple):
    """Request for observations by the server: stored samples and comparison.

    Attributes:
        sampling: A ``Quota`` in JSON form; None where no request may be stored.
        agreement: Share of a core for comparing answers with the release before.
        keeping: A ``KeepingRequest`` in JSON form; None to leave the record of decisions as it is.
    """

    sampling: Optional[Mapping[str, object]] = None
    agreement: float = 0.0
    keeping: Optional[Mapping[str, object]] = None


class KeepingRequest(NamedTuple):
    """Days for which decisions are kept (0: no more are recorded), and bytes for all of them."""

    days: int
    bytes: int


class Quota(NamedTuple):
    """The most requests, and the most bytes, that may be stored."""

    most: int
    bytes: int


def sampling_of(request: Mapping[str, object]) -> Optional[Tuple[int, int]]:
    """Return the most samples and bytes that may be stored, or None if none may.

    Args:
        request: May have ``sampling``: ``most`` and ``bytes``.

    Raises:
        ReleaseError: when they are no such numbers.
    """
    try:
        asked = read(ObservationRequest, request).sampling
        if not asked:
            return None
        most, size = map(int, read(Quota, asked))
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ReleaseError("bad-request", "Samples to keep are a number and bytes.") from None
    if not most:
        return None
    if not 0 < most <= MOST or size <= 0:
        raise ReleaseError("bad-request", "At most {} samples can be kept.".format(MOST))
    return most, size


def agreement_of(request: Mapping[str, object]) -> float:
    """Return the share of a core for comparing answers with the previous release; 0: none.

    Args:
        request: May have ``agreement``.

    Raises:
        ReleaseError: when it is no such share.
    """
    try:
        share = read(ObservationRequest, request).agreement
    except (TypeError, ValueError):
        share = -1.0
    if not 0.0 <= share <= MOST_SHARE:  # also what is no number
        sentence = "Comparing may take up to {:.0%} of one core."
        raise ReleaseError("bad-request", sentence.format(MOST_SHARE))
    return share


def compare(layout: Layout, digest: str, before: str, share: float) -> None:
    """Let the server continue to compare its answers with the previous release's, or stop it."""
    path = layout.run / COMPARED
    if share and before and before != digest:
        wish = TrialRequest(digest, before, 1.0, share, False)
        write_atomically(path, wish.content())
    else:
        remove(path)


def allow(layout: Layout, digest: str, allowed: Optional[Tuple[int, int]]) -> None:
    """Let the server of a release store samples, or stop every server from it."""
    path = layout.run / FILE
    if allowed is None:
        remove(path)
    else:
        write_atomically(path, SamplingConfig(digest, *allowed).content(), 0o600)


def keeping_of(layout: Layout, request: Mapping[str, object]) -> Optional[KeepingConfig]:
    """Return how decisions are to be recorded from now on; None to change nothing.

    Args:
        request: May have ``keeping``: ``days`` and ``bytes``.

    Raises:
        ReleaseError: when they are no such numbers.
    """
    try:
        asked = read(ObservationRequest, request).keeping
        if not asked:
            return None
        days, size = map(int, read(KeepingRequest, asked))
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ReleaseError("bad-request", "Decisions are kept for days, in bytes.") from None
    now = config_in(layout.run)
    if days == 0:  # what was recorded still has to be deleted in time
        return None if now is None else now._replace(on=False)
    config = KeepingConfig(days, size)
    if not config.is_possible:
        raise ReleaseError("bad-request", "Decisions are not kept for {} days.".format(days))
    return config


@contextmanager
def decisions_kept(layout: Layout, request: Mapping[str, object]) -> Iterator[bool]:
    """Let the server record its decisions from before a switch on; a failed one changes nothing.

    Yields:
        Whether the record begins now.
    """
    config, before = keeping_of(layout, request), config_in(layout.run)
    path = layout.run / KEEPING
    if config is not None:
        write_atomically(path, config.content(), 0o600)
    try:
        yield config is not None and config.on and (before is None or not before.on)
    except BaseException:
        if config is not None:
            remove(path) if before is None else write_atomically(path, before.content(), 0o600)
        raise
