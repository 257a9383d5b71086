"""Addresses of targets: ``azureml://WORKSPACE/ENDPOINT``, and the resources behind them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from studio.api import UsageError

# Azure's own rules for names: a wrong one fails here instead of in the middle of a deploy.
_ENDPOINT = re.compile(r"[a-z][a-z0-9-]{1,30}[a-z0-9]")
_WORKSPACE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,32}")
_SUBSCRIPTION = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_GROUP = re.compile(r"[\w.()-]{0,89}[\w()-]")
# Plain HTTP is allowed to this computer only, because requests carry the user's token.
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Address:
    """One endpoint of one workspace.

    Attributes:
        management: Base of Azure Resource Manager.
    """

    subscription: str
    group: str
    workspace: str
    endpoint: str
    management: str

    @property
    def resource_group(self) -> str:
        """The group's resource ID."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"

    @property
    def parent(self) -> str:
        """The workspace's resource ID."""
        provider = "providers/Microsoft.MachineLearningServices"
        return f"{self.resource_group}/{provider}/workspaces/{self.workspace}"

    @property
    def name(self) -> str:
        """The endpoint's resource ID."""
        return f"{self.parent}/onlineEndpoints/{self.endpoint}"

    @property
    def environment(self) -> str:
        """The resource ID of the environment whose versions are the releases."""
        return f"{self.parent}/environments/edgewright-{self.endpoint}"

    def autoscale(self, deployment: str) -> str:
        """Return the resource ID of a deployment's autoscale setting."""
        name = f"edgewright-{self.endpoint}-{deployment}"
        return f"{self.resource_group}/providers/Microsoft.Insights/autoscalesettings/{name}"


def parse_address(url: str, settings: Mapping[str, object]) -> Address:
    """Read a target's URL and settings.

    Raises:
        UsageError: for what is no such address, or a name that Azure forbids.
    """
    match = re.fullmatch(r"azureml://([^/]+)/([^/]+)/?", url)
    if match is None:
        raise UsageError(f"{url} names no endpoint.", hint="Write azureml://WORKSPACE/ENDPOINT.")
    workspace, endpoint = match.groups()
    if not _ENDPOINT.fullmatch(endpoint):
        raise UsageError(
            f"Azure forbids the endpoint's name {endpoint!r}.",
            hint="3 to 32 small letters, digits and hyphens, a letter first.",
        )
    if not _WORKSPACE.fullmatch(workspace):
        raise UsageError(f"{workspace!r} is no name of a workspace.")
    subscription = _setting(settings, "subscription", _SUBSCRIPTION, "an ID like 0000...-0000")
    group = _setting(settings, "resource_group", _GROUP, "the group of the workspace")
    management = str(settings["management"]).rstrip("/")
    if not is_safe(management):
        raise UsageError("The management address must begin with https://.")
    return Address(subscription, group, workspace, endpoint, management)


def target_name(address: Address) -> str:
    """Return the target's name; endpoints of two workspaces may share a name."""
    return re.sub(r"[^\w.-]+", "-", f"{address.endpoint}-{address.workspace}-{address.group}")


def is_safe(url: str) -> bool:
    """Return whether a token may be sent there: encrypted, or this computer."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and parts.hostname in _LOOPBACK


def _setting(settings: Mapping[str, object], name: str, pattern: re.Pattern[str], what: str) -> str:
    text = str(settings.get(name) or "")
    if not text:
        raise UsageError(f"The target has no {name}.", hint=f"Give it: --set {name}={what}")
    if not pattern.fullmatch(text):
        raise UsageError(f"{text!r} is no {name}; it is {what}.")
    return text
