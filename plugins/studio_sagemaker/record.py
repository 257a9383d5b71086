"""The releases of one target, as they stand in the tags of its models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from studio.api import TargetError
from studio_sagemaker.cloud import Cloud
from studio_sagemaker.names import (
    AT,
    CANARY,
    MODEL,
    OWNER,
    REASON,
    RELEASE,
    STATE,
    TARGET,
    VERSION,
    EndpointNames,
    as_tags,
    from_tags,
)

KEPT = 10
"""Releases that stay at AWS."""


@dataclass(frozen=True, slots=True)
class ReleaseEntry:
    """One release that has a model at AWS.

    Attributes:
        resource, arn: Name and ARN of the model.
        state: ``starting``, ``deployed``, ``failed`` or ``withdrawn``; what serves is not said.
    """

    resource: str
    arn: str
    release: str
    model: str
    version: int
    owner: str = ""
    at: str = ""
    state: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Configuration:
    """An endpoint configuration of the target, with its tags."""

    name: str
    arn: str
    tags: dict[str, str]

    @property
    def whole(self) -> bool:
        """Whether one release gets all requests in it."""
        return CANARY not in self.tags


class Record:
    """Models and configurations of one target."""

    def __init__(self, cloud: Cloud, place: EndpointNames) -> None:
        self._cloud = cloud
        self._place = place

    def entries(self) -> list[ReleaseEntry]:
        """Return all releases at AWS, newest first, with the newest model of each."""
        found: dict[str, ReleaseEntry] = {}
        for entry in self.models():
            if entry.release not in found or entry.at > found[entry.release].at:
                found[entry.release] = entry
        return sorted(found.values(), key=lambda entry: entry.at, reverse=True)

    def models(self) -> list[ReleaseEntry]:
        """Return all models of the target."""
        rows = self._named("list_models", "Models", "ModelName", "ModelArn")
        return [_entry(name, arn, tags) for name, arn, tags in rows]

    def configurations(self) -> list[Configuration]:
        """Return all endpoint configurations of the target."""
        rows = self._named(
            "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName", "EndpointConfigArn"
        )
        return [Configuration(*row) for row in rows]

    def configuration_of(self, release: str) -> Configuration | None:
        """Return the newest configuration that sends a release all requests."""
        found = [
            one for one in self.configurations() if one.whole and one.tags.get(RELEASE) == release
        ]
        return max(found, key=lambda one: one.tags.get(AT, ""), default=None)

    def note(self, arn: str, **values: str) -> None:
        """Write into the tags of something: ``state``, ``reason``, ``at``."""
        keys = {"state": STATE, "reason": REASON, "at": AT}
        tags = as_tags({keys[name]: text or "-" for name, text in values.items()})
        self._cloud.call("sagemaker", "add_tags", "write tags", ResourceArn=arn, Tags=tags)

    def _named(
        self, operation: str, key: str, name: str, arn: str
    ) -> list[tuple[str, str, dict[str, str]]]:
        what = f"list what belongs to {self._place.endpoint}"
        pages = self._cloud.pages(
            "sagemaker", operation, key, what, NameContains=self._place.endpoint
        )
        rows = []
        for one in pages:
            if not str(one[name]).startswith(f"{self._place.endpoint}-"):
                continue
            tags = from_tags(
                self._cloud.pages(
                    "sagemaker", "list_tags", "Tags", "read tags", ResourceArn=one[arn]
                )
            )
            if tags.get(TARGET) == self._place.endpoint:
                rows.append((str(one[name]), str(one[arn]), tags))
        return rows


def _entry(name: str, arn: str, tags: dict[str, str]) -> ReleaseEntry:
    version = tags.get(VERSION, "")
    reason = tags.get(REASON, "")
    return ReleaseEntry(
        name,
        arn,
        tags.get(RELEASE, ""),
        tags.get(MODEL, ""),
        int(version) if version.isdigit() else 0,
        tags.get(OWNER, ""),
        tags.get(AT, ""),
        tags.get(STATE, ""),
        "" if reason == "-" else reason,
    )


def choose(entries: Sequence[ReleaseEntry], current: str, to: str | None) -> ReleaseEntry:
    """Return the release of a rollback.

    Args:
        current: Digest of the one that serves; empty where none does.
        to: A version's number or a digest's first digits; None for the one before.

    Raises:
        TargetError: when no such release exists.
    """
    good = [one for one in entries if one.state == "deployed" and one.release != current]
    if to is not None:
        good = [one for one in good if str(one.version) == to or one.release.startswith(to)]
        if not good:
            raise TargetError(f"There is no earlier release {to!r} that could be served again.")
        return good[0]
    at = next((one.at for one in entries if one.release == current), None)
    before = [one for one in good if at is None or one.at < at]
    if not before:
        raise TargetError("There is no earlier release that could be served again.")
    return before[0]


def now() -> str:
    """Return the current time in the form of tags, which sorts as text."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
