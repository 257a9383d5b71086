"""The variables of a worker: an allow list, never the user's whole environment."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from studio.api import Permission
from studio.settings import SAFE_VARIABLE, Paths

_PASSED_ON = (
    *("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "PYTHONPATH", "VIRTUAL_ENV"),
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", SAFE_VARIABLE),
)
"""What every worker gets. Where the studio's folders are is told by ``Paths.variables``."""

CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
"""Variables with the place of the user's own list of authorities."""

_FOR_NETWORK = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", *CERTIFICATES)
"""Also in small letters; an address of a proxy may hold a password."""

_WITH_HOME = (
    *("HOME", "USER", "LOGNAME", "SSH_AUTH_SOCK", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"),
    *("DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY"),
    "REGISTRY_AUTH_FILE",
)
_WITH_HOME_PREFIXES = ("EDGEWRIGHT_", "PIP_", "OPENBLAS_", "OMP_")
_SECRETS = ("EDGEWRIGHT_TOKEN",)
"""Passed on to those alone that need the user's secrets."""

_SECRET_PREFIXES = ("MLFLOW_", "AWS_", "GOOGLE_", "CLOUDSDK_", "AZURE_")
"""Whence MLflow's client and the clouds' own chains of credentials take a login; for them alone."""


_CLOSED = "EDGEWRIGHT_SANDBOX_CLOSED"
"""Set for a worker that neither reaches the network nor changes files of the user."""


def is_closed() -> bool:
    """Return whether this process runs in a sandbox that is fit for code of a stranger."""
    return os.environ.get(_CLOSED) == "1"


def contained(needs: Iterable[Permission]) -> bool:
    """Return whether such a job can be put behind walls at all.

    A job that talks to boards needs the user's keys, and one that starts a server must let it
    live on; neither parses a model.
    """
    outside = {Permission.HOME, Permission.SECRETS, Permission.PROCESSES}
    return not outside.intersection(needs)


def environment(
    paths: Paths, folder: Path, needs: frozenset[Permission], *, closed: bool = False
) -> dict[str, str]:
    """Return the variables of a worker with these permissions, whose job has this folder.

    Args:
        closed: Whether it neither reaches the network nor changes files of the user.
    """
    env = {name: value for name, value in os.environ.items() if _passed_on(name, needs)}
    if not contained(needs):
        env.setdefault("HOME", str(folder))
    else:
        env["HOME"] = str(folder)
        env["LOGNAME"] = "worker"  # who asks for the user's name finds no list of users
    env.update(
        ORT_DISABLE_TELEMETRY="1",
        PYTHONDONTWRITEBYTECODE="1",
        PYTHONHASHSEED="0",  # sets in the same order: equal inputs give equal files
        MPLCONFIGDIR=str(folder),
        TMPDIR=str(folder),
        **{_CLOSED: "1" if closed else "0"},
        **paths.variables(),
    )
    return env


def _passed_on(name: str, needs: frozenset[Permission]) -> bool:
    if name in _SECRETS or name.startswith(_SECRET_PREFIXES):
        return Permission.SECRETS in needs
    if name in _PASSED_ON:
        return True
    if contained(needs):
        return Permission.NETWORK in needs and name.upper() in _FOR_NETWORK
    open_ones = name in _WITH_HOME or name.startswith(_WITH_HOME_PREFIXES)
    return open_ones or name.upper() in _FOR_NETWORK or name.lower().endswith("_proxy")
