"""The container of an app: its network, devices and variables, and the volume of its events."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker.models.containers import Container

from studio.api import Parcel, UsageError
from studio_docker.containers.names import EngineNames
from studio_docker.engine.client import Engine
from studio_docker.image.contents import APP_DATA, TURNS

_NAME = "app-variables.json"
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
_DEVICE = re.compile(r"/dev/[A-Za-z0-9._/-]{1,200}")
_GROUP = re.compile(r"[a-z_][a-z0-9_-]{0,31}|\d{1,9}")
_MOST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class AppPlace:
    """Settings of an app's container.

    Attributes:
        network: ``bridge``, ``host`` or ``none``.
        devices: Of the engine's machine, by their paths.
        groups: Of the engine's machine, that may use them.
        variables: The file of variables in JSON; empty without one.
    """

    network: str
    devices: tuple[str, ...]
    groups: tuple[str, ...]
    variables: bytes

    @classmethod
    def of(cls, parcel: Parcel, options: Mapping[str, Any]) -> AppPlace | None:
        """Return the settings in checked options; None for a bundle without an app.

        Raises:
            UsageError: for a device, a group or a file that cannot be used.
        """
        if not parcel.manifest.get("app"):
            return None
        return cls(
            str(options["app_network"]),
            _listed(str(options["devices"] or ""), _DEVICE, "a device"),
            _listed(str(options["device_groups"] or ""), _GROUP, "a group"),
            read_variables(str(options["variables_file"] or "")),
        )

    def wish(self) -> dict[str, Any]:
        """Return values that differ where another container is needed."""
        digest = hashlib.sha256(self.variables).hexdigest()[:12]
        return {"app": [self.network, self.devices, self.groups, digest]}

    def settings(self) -> dict[str, Any]:
        """Return the settings that are sent to the engine; they go before those of a model."""
        found: dict[str, Any] = {
            "environment": {
                "EDGEWRIGHT_APP_DATA": f"/{APP_DATA}",
                "EDGEWRIGHT_APP_VARIABLES_FILE": f"/{TURNS}/{_NAME}",
            },
            "network_mode": self.network,
        }
        if self.devices:
            found["devices"] = [f"{one}:{one}:rw" for one in self.devices]
        if self.groups:
            found["group_add"] = list(self.groups)
        return found

    def prepare(self, engine: Engine, place: EngineNames, gate: Container) -> None:
        """Make the volume of events, and write the variables where the servers read them.

        They are in no variable and no command line, which an engine shows to its users.
        """
        engine.make_volume(place.app_volume, place.labels("app"))
        engine.write(gate, f"/{TURNS}", _NAME, self.variables or b"{}", 0o444)


def read_variables(file: str) -> bytes:
    """Return the lines NAME=VALUE of a user's file as a JSON object; nothing without a file.

    Raises:
        UsageError: when it cannot be read. No message repeats a line.
    """
    if not file:
        return b""
    try:
        text = Path(file).expanduser().read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not plain text"
        raise UsageError(f"The file of variables {file} cannot be read: {reason}.") from None
    found = {}
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        name, sign, value = line.partition("=")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not sign or not _VARIABLE.fullmatch(name.strip()):
            raise UsageError(f"{file}, line {number}: write NAME=VALUE.")
        found[name.strip()] = value
    content = json.dumps(found, sort_keys=True).encode()
    if len(content) > _MOST_BYTES:
        raise UsageError(f"{file} has more than {_MOST_BYTES:,} bytes.")
    return content


def _listed(text: str, form: re.Pattern[str], what: str) -> tuple[str, ...]:
    found = tuple(filter(None, (one.strip() for one in text.split(","))))
    for one in found:
        if not form.fullmatch(one) or ".." in one:
            raise UsageError(f"{one[:100]!r} is not {what} of the engine's machine.")
    return found
