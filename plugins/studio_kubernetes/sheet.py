"""The sheet of clusters: a context, a namespace and a name, and how the release serves there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import quote

from studio.api import Option, TargetSpec
from studio.api.sheets import DeploySheet, touched
from studio_kubernetes.cluster.address import parse_address
from studio_kubernetes.manifests.names import suggest
from studio_kubernetes.options import DEPLOY_OPTIONS, TARGET_OPTIONS

_PLACE = (
    Option("context", title="Context", placeholder="current context", help="Of the kubeconfig."),
    Option(
        "namespace",
        title="Namespace",
        placeholder="from the context",
        help="In which the release serves.",
    ),
    Option("name", title="Name", default="model", help="Name of the Deployment and its Service."),
)
_OFTEN = ("image", "bundle", "replicas", "memory")
"""Options that most deployments set; the others are folded away."""


class ClusterSheet(DeploySheet):
    """One name in a namespace of a cluster."""

    place_options: ClassVar = (*_PLACE, *TARGET_OPTIONS)
    deploy_options: ClassVar = tuple(
        replace(option, advanced=option.name not in _OFTEN) for option in DEPLOY_OPTIONS
    )

    def spec(self, values: Mapping[str, Any]) -> TargetSpec:
        """The name in the namespace.

        Raises:
            UsageError: when there can be no such place.
        """
        context, name = values.get("context") or "", values.get("name") or "model"
        url = f"kubernetes://{quote(context, safe='')}/{values.get('namespace') or ''}/{name}"
        parse_address(url)
        settings = touched(TARGET_OPTIONS, values)
        return TargetSpec(suggest(f"{context}-{name}".strip("-")), url, "", settings)
