"""Places with data that may be about persons: what is there, for how long, what deletes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from studio.deployment.decisions.pages import PageAnswer
from studio.deployment.decisions.results import KeptData

TARGET, DESK = "target", "desk"


def places_on(target: str, root: str, answer: PageAnswer) -> Iterator[KeptData]:
    """Yield the places on a target.

    Args:
        answer: What there is of its record, and of other data of clients.
    """
    config, purge = answer.config, f"studio undeploy --target {target} --purge"
    kept = "off; never recorded"
    if config is not None:
        state = "" if config.on else "off now; "
        kept = f"{state}{config.days} days, up to {config.room / 1e6:,.0f} MB"
    yield KeptData(
        TARGET,
        "decisions: digests of inputs, short meanings, overrides with names",
        f"{root}/run/decisions",
        sum(max(0, one.bytes) for one in answer.segments),
        kept,
        f"studio decisions forget {target} REQUEST|DIGEST|FILE",
    )
    yield KeptData(
        TARGET,
        "uncertain requests kept for labelling: inputs",
        f"{root}/run/samples",
        _bytes(answer, "samples"),
        "until fetched with --delete-samples, or the quota of the deployment",
        f"studio monitor --target {target} --samples FOLDER --delete-samples",
    )
    yield KeptData(
        TARGET,
        "events of the app, with overrides and names",
        f"{root}/run/app",
        _bytes(answer, "app"),
        "the limits of the app's outbox",
        purge,
    )
    yield KeptData(
        TARGET,
        "log of the server: addresses of clients",
        f"{root}/run/server.log",
        _bytes(answer, "server.log"),
        "two files of bounded size",
        purge,
    )


def _bytes(answer: PageAnswer, name: str) -> int:
    value = answer.other.get(name)
    return value if isinstance(value, int) and value > 0 else 0


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files of a folder; 0 for neither."""
    if path.is_file():
        return path.stat().st_size
    return sum(one.stat().st_size for one in path.rglob("*") if one.is_file())
