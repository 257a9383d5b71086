"""The sheet of fleets that pull: a group of boards at a server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from studio.api import Kind, Option, TargetSpec
from studio.api.sheets import DeploySheet, touched
from studio_hawkbit.address import GOOSEBIT, HAWKBIT, parse_address
from studio_hawkbit.options import DEPLOY_OPTIONS, TARGET_OPTIONS

_PLACE = (
    Option(
        "server",
        Kind.CHOICE,
        GOOSEBIT,
        title="Server",
        choices=(GOOSEBIT, HAWKBIT),
        choice_titles=("goosebit", "Eclipse hawkBit"),
        help="Program that the boards poll.",
    ),
    Option(
        "host",
        title="Address",
        placeholder="fleet.example.org",
        help="HOST or HOST:PORT.",
        required=True,
    ),
    Option("tenant", title="Tenant", default="DEFAULT", help="Tenant at the server."),
    Option("group", title="Group", default="default", help="Boards that get the release."),
)


class FleetSheet(DeploySheet):
    """A group of boards of one tenant."""

    place_options: ClassVar = (*_PLACE, *TARGET_OPTIONS)
    deploy_options: ClassVar = DEPLOY_OPTIONS

    def spec(self, values: Mapping[str, Any]) -> TargetSpec:
        """The group at the server.

        Raises:
            UsageError: when there can be no such place.
        """
        server, host = values.get("server") or GOOSEBIT, values.get("host") or ""
        tenant, group = values.get("tenant") or "", values.get("group") or "default"
        url = f"{server}://{host}/{tenant}/{group}"
        parse_address(url, values)
        name = f"{host}-{group}".replace(":", "-").replace("[", "").replace("]", "")
        return TargetSpec(name, url, "", touched(TARGET_OPTIONS, values))
