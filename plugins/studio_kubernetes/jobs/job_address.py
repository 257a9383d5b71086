"""The address of an executor in a cluster: ``kubernetes:/SHARED/FOLDER?claim=C&image=I``."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from studio.api import UsageError
from studio_kubernetes.manifests.names import is_label, is_subdomain

_REQUIRED = ("claim", "image")
_OPTIONAL = ("namespace", "context", "kubeconfig", "mount", "python", "cpus", "mem", "account")
_FORM = "kubernetes:/SHARED/FOLDER?claim=CLAIM&image=IMAGE"
_QUANTITY = re.compile(r"\d+(\.\d+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?")


@dataclass(frozen=True, slots=True)
class JobAddress:
    """The place of Jobs, and what their pods are made of.

    Attributes:
        folder: The shared folder as this computer sees it.
        claim: The PersistentVolumeClaim of the same folder.
        image: A container image with this version of the studio.
        mount: Where pods see the folder.
        python: The image's Python.
        cpus, mem: Requests and limits as Kubernetes writes them; empty for none.
        account: Service account of the pods; the namespace's own where it is empty.
        namespace, context, kubeconfig: Those of the kubeconfig where they are empty.
    """

    folder: Path
    claim: str
    image: str
    namespace: str = ""
    context: str = ""
    kubeconfig: str = ""
    mount: str = "/edgewright"
    python: str = "python3"
    cpus: str = ""
    mem: str = ""
    account: str = ""


def parse_job_address(address: str) -> JobAddress:
    """Read what ``--on`` was given.

    Raises:
        UsageError: in one sentence, for another form or a name that the cluster would refuse.
    """
    path, _, query = address.partition(":")[2].partition("?")
    given = dict(parse_qsl(query, keep_blank_values=True))
    known = {*_REQUIRED, *_OPTIONAL}
    whole = os.path.isabs(path) and not path.startswith("//")
    if not whole or not set(_REQUIRED) <= set(given) <= known or not all(given.values()):
        raise UsageError(
            f"--on {address}: the address must be {_FORM}.",
            hint=f"Also &NAME=VALUE of {', '.join(_OPTIONAL)}.",
        )
    if any(not value.isprintable() for value in (path, *given.values())):
        raise UsageError(f"--on {address!r}: the address must be one line.")
    found = JobAddress(Path(path), **given)
    _check(found)
    return found


def _check(found: JobAddress) -> None:
    wrong = {
        "claim": not is_subdomain(found.claim),
        "namespace": bool(found.namespace) and not is_label(found.namespace),
        "account": bool(found.account) and not is_subdomain(found.account),
        "mount": not os.path.isabs(found.mount) or ":" in found.mount,
        "cpus": bool(found.cpus) and not _QUANTITY.fullmatch(found.cpus),
        "mem": bool(found.mem) and not _QUANTITY.fullmatch(found.mem),
    }
    for name, is_wrong in wrong.items():
        if is_wrong:
            raise UsageError(f"Kubernetes does not allow {name}={getattr(found, name)!r}.")
