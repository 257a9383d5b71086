"""An image put into the container engine of a machine that the studio reaches."""

from __future__ import annotations

import uuid
from pathlib import Path

from studio.api import Channel, TargetError, TargetSpec, UsageError
from studio.jobs import Job
from studio.targets.connect import open_channel, root_of
from studio.targets.platforms import is_platform

_LOAD_S = 900.0
_NO_ENGINE = 3
SCRIPT = f"""\
engine=$(command -v docker || command -v podman) || exit {_NO_ENGINE}
"$engine" load --input "$1"
"""


def load_image(target: TargetSpec, archive: Path, job: Job) -> None:
    """Send an image's archive to a machine, and have its Docker or Podman load it.

    Raises:
        UsageError: for a target that is no machine.
        TargetError: when there is no engine, or it does not take the image.
    """
    if is_platform(target):
        raise UsageError(f"{target.name} is no machine; push the image to a registry instead.")
    channel = open_channel(target, job)
    try:
        folder = f"{root_of(target, channel)}/incoming"
        place = f"{folder}/{uuid.uuid4().hex}.image"
        channel.run(["mkdir", "-p", folder])
        try:
            channel.put(archive, place, job)
            _load(channel, target.name, place)
        finally:
            channel.run(["rm", "-f", place])
    finally:
        channel.close()


def _load(channel: Channel, name: str, place: str) -> None:
    done = channel.run(["sh", "-c", SCRIPT, "sh", place], timeout=_LOAD_S)
    if done.status == _NO_ENGINE:
        raise TargetError(
            f"There is no container engine on {name}.", hint="Install docker or podman there."
        )
    if done.status:
        detail = done.stderr.decode("utf-8", "replace")[-2000:]
        raise TargetError(f"The engine of {name} does not take the image.", detail=detail)
