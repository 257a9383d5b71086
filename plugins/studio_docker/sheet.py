"""The sheet of container engines: which engine, and how its container serves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from studio.api import Option, TargetSpec
from studio.api.sheets import DeploySheet
from studio_docker.options import CONTAINER_OPTIONS, ENGINE_OPTIONS

_NAME = Option("name", default="containers", required=True, help="Display name of the target.")


class EngineSheet(DeploySheet):
    """An engine on this machine or another one."""

    place_options: ClassVar = (_NAME, *ENGINE_OPTIONS)
    deploy_options: ClassVar = CONTAINER_OPTIONS

    def spec(self, values: Mapping[str, Any]) -> TargetSpec:
        """The engine of the name, with what else was entered as its settings."""
        name = str(values.get("name") or "containers")
        settings = {key: str(value) for key, value in values.items() if value and key != "name"}
        return TargetSpec(name, f"docker:{name}", settings=settings)
