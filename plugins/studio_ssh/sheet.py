"""The sheet of boards: name, address and key of a new one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from studio.api import Kind, Option, TargetSpec
from studio.api.sheets import DeploySheet


class BoardSheet(DeploySheet):
    """A board that is reached over SSH; its options are those of every machine."""

    finds: ClassVar = True
    place_options: ClassVar = (
        Option(
            "name",
            title="Name",
            help="Display name of the target.",
            required=True,
            placeholder="jetson-07",
        ),
        Option(
            "url",
            title="Address",
            help="user@host, or user@host:port.",
            required=True,
            placeholder="user@host",
        ),
        Option(
            "key_file",
            Kind.FILE,
            title="Key file",
            help="Private key. Default: ~/.ssh/config, then the keys of your SSH agent.",
        ),
        Option(
            "jump",
            title="Jump hosts",
            help="user@host:port, separated by commas. Default: from ~/.ssh/config.",
            advanced=True,
            placeholder="from ~/.ssh/config",
        ),
    )

    def spec(self, values: Mapping[str, Any]) -> TargetSpec:
        """The board at the address; ``ssh://`` may be left out."""
        address = str(values["url"]).strip()
        url = address if "://" in address else f"ssh://{address}"
        given = {name: str(values[name]) for name in ("key_file", "jump") if values.get(name)}
        return TargetSpec(str(values["name"]).strip(), url, settings=given)
