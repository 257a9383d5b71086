"""The sheet of Azure ML: which endpoint of a workspace, and how it serves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from studio.api import TargetSpec, validate
from studio.api.sheets import DeploySheet, touched
from studio_azureml.address import parse_address, target_name
from studio_azureml.options import DEPLOY_OPTIONS, PLACE_OPTIONS, TARGET_OPTIONS


class AzureMlSheet(DeploySheet):
    """One managed online endpoint of a workspace."""

    place_options: ClassVar = (*TARGET_OPTIONS[:2], *PLACE_OPTIONS, *TARGET_OPTIONS[2:])
    deploy_options: ClassVar = DEPLOY_OPTIONS

    def spec(self, values: Mapping[str, Any]) -> TargetSpec:
        """The endpoint of the workspace.

        Raises:
            UsageError: when there can be no such endpoint.
        """
        settings = touched(TARGET_OPTIONS, values)
        url = f"azureml://{values.get('workspace') or ''}/{values.get('endpoint') or ''}"
        address = parse_address(url, validate(TARGET_OPTIONS, settings))
        return TargetSpec(target_name(address), url, "", settings)
