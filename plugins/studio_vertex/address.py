"""Addresses of targets: ``vertex://REGION/ENDPOINT``, and the project and services behind them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from studio.api import UsageError

_REGION = re.compile(r"[a-z]+(-[a-z]+)+[0-9]+")
_ENDPOINT = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")
_PROJECT = re.compile(r"([a-z][a-z0-9.]*:)?[a-z][a-z0-9-]{4,28}[a-z0-9]|[0-9]+")


@dataclass(frozen=True, slots=True)
class Address:
    """One endpoint of one project.

    Attributes:
        service: Base of another address for all services; empty for Google's own.
    """

    project: str
    region: str
    endpoint: str
    service: str = ""

    @property
    def parent(self) -> str:
        """The location's resource name."""
        return f"projects/{self.project}/locations/{self.region}"

    @property
    def name(self) -> str:
        """The endpoint's resource name."""
        return f"{self.parent}/endpoints/{self.endpoint}"

    def url(self, service: str, path: str) -> str:
        """Return the URL of a path at a service, such as ``aiplatform`` or ``logging``."""
        host = f"{self.region}-{service}" if service == "aiplatform" else service
        return f"{self.service or f'https://{host}.googleapis.com'}/{path}"


def parse_address(url: str, settings: Mapping[str, object]) -> Address:
    """Read a target's URL and settings.

    Raises:
        UsageError: for what is no such address, or a name that Google forbids.
    """
    parts = urlsplit(url)
    region, endpoint = parts.netloc, parts.path.strip("/")
    if not _REGION.fullmatch(region) or not endpoint:
        raise UsageError(
            f"{url} names no endpoint.", hint="Write vertex://REGION/ENDPOINT (us-central1/digits)."
        )
    if not _ENDPOINT.fullmatch(endpoint):
        raise UsageError(
            f"Vertex AI forbids the endpoint's name {endpoint!r}.",
            hint="A small letter, then small letters, digits and hyphens; at most 40 in all.",
        )
    project = str(settings.get("project") or "")
    if not _PROJECT.fullmatch(project):
        raise UsageError(
            f"{project!r} is no project's ID." if project else "The target has no project.",
            hint="Give its ID, not its title: --set project=my-project-123",
        )
    return Address(project, region, endpoint, _service(str(settings.get("api_endpoint") or "")))


def _service(text: str) -> str:
    """Return a base URL to which a token may be sent: encrypted, or this computer."""
    if not text:
        return ""
    parts = urlsplit(text)
    if parts.hostname and (parts.scheme == "https" or _is_loopback(parts)):
        return text.rstrip("/")
    raise UsageError("The API's address must begin with https://.")


def _is_loopback(parts: object) -> bool:
    host = str(getattr(parts, "hostname", ""))
    if getattr(parts, "scheme", "") != "http":
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
