"""The address of a target in a cluster: ``kubernetes://CONTEXT/NAMESPACE/NAME``."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from studio.api import UsageError
from studio_kubernetes.manifests.names import LONGEST, is_label, is_service_name, suggest

FORM = "Write kubernetes://CONTEXT/NAMESPACE/NAME; an empty context is the current one."


@dataclass(frozen=True, slots=True)
class Address:
    """Cluster address of one served model.

    Attributes:
        context: Of the kubeconfig; empty for the current one.
        namespace: Empty for the context's own.
        name: Of the objects that are made there.
    """

    context: str
    namespace: str
    name: str


def parse_address(url: str) -> Address:
    """Read a target's URL; a context with slashes is percent-encoded (``%2F``).

    Raises:
        UsageError: for another form, or a name that the cluster would forbid.
    """
    parts = urlsplit(url)
    segments = [unquote(part) for part in parts.path.split("/")[1:]]
    if parts.scheme != "kubernetes" or not url.startswith("kubernetes://") or len(segments) != 2:
        raise UsageError(f"{url!r} is not the address of a place in a cluster.", hint=FORM)
    # netloc keeps the case of a context, hostname would not
    address = Address(unquote(parts.netloc), *segments)
    if address.namespace and not is_label(address.namespace):
        raise UsageError(
            f"A namespace cannot be named {address.namespace!r}.",
            hint="Small letters, digits and dashes, at most 63.",
        )
    if not is_service_name(address.name) or len(address.name) > LONGEST:
        raise UsageError(
            f"Kubernetes does not allow the name {address.name!r}.",
            hint="Small letters, digits and dashes, a letter first, at most "
            f"{LONGEST}: for instance {suggest(address.name)!r}.",
        )
    return address
