"""Fleets as targets: groups of boards at a hawkBit-compatible server."""

from __future__ import annotations

from collections.abc import Sequence

from studio.api import Identity, Option, Progress, TargetSpec, validate
from studio_hawkbit.address import GOOSEBIT, parse_address
from studio_hawkbit.goosebit import GoosebitServer
from studio_hawkbit.hawkbit import HawkbitServer
from studio_hawkbit.options import DEPLOY_OPTIONS, TARGET_OPTIONS
from studio_hawkbit.server import FleetServer
from studio_hawkbit.site import FleetSite


class FleetPlatform:
    """Publishes bundles for boards that poll."""

    id = "hawkbit"
    title = "hawkBit-compatible server"
    schemes: tuple[str, ...] = ("goosebit", "hawkbit")
    options: Sequence[Option] = TARGET_OPTIONS
    deploy_options: Sequence[Option] = DEPLOY_OPTIONS

    def open(self, target: TargetSpec, progress: Progress) -> FleetSite:
        names = {option.name for option in self.options}
        given = {key: text for key, text in target.settings.items() if key in names}
        values = validate(self.options, given)
        address = parse_address(target.url, values)
        progress.log(f"Asking {address.base}")
        is_goosebit = address.kind == GOOSEBIT
        server: FleetServer = GoosebitServer(address) if is_goosebit else HawkbitServer(address)
        boards = server.boards()
        facts = {"boards": len(boards), "group": address.group, "tenant": address.tenant}
        where = f"group {address.group} of {address.tenant} at {address.base}"
        who = address.user or "no login"
        return FleetSite(server, address, Identity(who, where, {**facts, "version": server.who()}))
