"""Channels to targets of any kind."""

from __future__ import annotations

import logging
import shlex
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from studio.api import (
    Channel,
    Connector,
    Extension,
    Progress,
    StudioError,
    TargetError,
    TargetFacts,
    TargetSpec,
    Unavailable,
)
from studio.jobs.protection_guard import ProtectionGuard
from studio.plugin_host import PluginHost
from studio.runtime.release.store.layout import ENDPOINTS
from studio.targets.facts import SCRIPT, parse
from studio.targets.protection import identity_of, is_marked, protect

log = logging.getLogger(__name__)

LOCAL_SCHEME = "local"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def target_of(value: Mapping[str, Any]) -> TargetSpec:
    """Return the target that a step's argument describes."""
    return TargetSpec(**value)


def connector_for(target: TargetSpec) -> Connector:
    """Return the connector for a target's URL.

    Raises:
        Unavailable: when no plugin has one.
    """
    host = PluginHost.again()
    scheme = scheme_of(target)
    capability = host.answering(scheme)
    if capability is None or capability.extension is not Extension.TARGET:
        raise Unavailable(f"No plugin connects to {scheme}:// targets.")
    connector: Connector = host.create(capability)
    return connector


def open_channel(target: Mapping[str, Any] | TargetSpec, progress: Progress) -> Channel:
    """Open a channel to a target.

    Raises:
        UnknownHost, ChangedHost: when its host key is not confirmed.
        TargetError: when it does not answer, or refuses the login.
        Refused: when a protected board would be changed without an approved plan.
    """
    spec = target if isinstance(target, TargetSpec) else target_of(target)
    began = time.monotonic()
    keys = {"target": spec.name, "scheme": scheme_of(spec)}
    try:
        channel = connector_for(spec).connect(spec, progress)
    except StudioError as error:
        log.warning("not connected: %s", error, extra=keys)
        raise
    log.info("connected", extra={**keys, "seconds": round(time.monotonic() - began, 3)})
    try:
        protect(spec, channel, ProtectionGuard.current)
    except BaseException:
        channel.close()
        raise
    return channel


def scheme_of(target: TargetSpec) -> str:
    """Return the scheme of a target's URL."""
    return target.url.partition(":")[0]


def is_local(target: TargetSpec) -> bool:
    """Return whether a target is this computer."""
    return scheme_of(target) == LOCAL_SCHEME


def host_of(target: TargetSpec) -> str:
    """Return the host name or address of a target."""
    rest = target.url.partition("://")[2].rpartition("@")[2].partition("/")[0]
    return rest.rpartition(":")[0] or rest


def ssh_command(target: TargetSpec) -> list[str]:
    """Return the words of ``ssh`` that log in on a board."""
    parts = urlsplit(target.url)
    words = ["ssh", *(["-p", str(parts.port)] if parts.port else [])]
    for option, setting in (("-i", "key_file"), ("-J", "jump")):
        if target.settings.get(setting):
            words += [option, target.settings[setting]]
    return [*words, f"{parts.username}@{parts.hostname}" if parts.username else str(parts.hostname)]


def tunnel_command(target: TargetSpec, host: str, port: int) -> str:
    """Return the command that forwards a board's loopback port; empty where none is needed."""
    if host not in _LOOPBACK or not target.url.startswith("ssh://"):
        return ""
    return shlex.join([*ssh_command(target), "-N", "-L", f"{port}:{host}:{port}"])


def place_of(target: TargetSpec) -> str:
    """Return the folder of releases, relative to the login's home (``~``).

    An endpoint has its own folder below that of its target.
    """
    root = connector_for(target).default_root(target)
    return f"{root}/{ENDPOINTS}/{target.endpoint_name}" if target.endpoint_name else root


def root_of(target: TargetSpec, channel: Channel) -> str:
    """Return the absolute path of the folder of releases."""
    root = place_of(target)
    if not root.startswith("~"):
        return root
    done = channel.run(["sh", "-c", 'echo "$HOME"'], timeout=30)
    home = done.text.strip()
    if done.status or not home.startswith("/"):
        raise TargetError(f"Unknown home folder on {target.name}.")
    return home + root[1:]


def interpreter_of(target: TargetSpec) -> str:
    """Return the interpreter to use: the studio's own on this computer, else ``python3``."""
    return sys.executable if is_local(target) else "python3"


def gather_facts(target: TargetSpec, channel: Channel) -> TargetFacts:
    """Read the facts of a target."""
    root = place_of(target)
    command = ["sh", "-c", SCRIPT, "sh", root, interpreter_of(target)]
    began = time.time()
    done = channel.run(command, timeout=60)
    # Read at once, as any delay would count as clock skew.
    now = time.time()
    if done.status:
        raise TargetError(
            f"{target.name} cannot run a shell script.",
            detail=done.stderr.decode("utf-8", "replace")[-2000:],
        )
    facts = parse(done.text, target.name, target.url, now, now - began)
    return replace(facts, identity=identity_of(channel), is_marked=is_marked(channel))
