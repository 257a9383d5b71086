"""Clusters as targets: kubeconfig contexts, opened by the official client's own loader."""

from __future__ import annotations

import os
from pathlib import Path
from textwrap import shorten
from typing import Any

from kubernetes import client as k8s
from kubernetes.config import ConfigException, kube_config

from studio.api import (
    Identity,
    Option,
    Progress,
    TargetError,
    TargetSpec,
    Unavailable,
    UsageError,
    validate,
)
from studio_kubernetes.cluster.address import Address, parse_address
from studio_kubernetes.cluster.client import Cluster, ClusterUnreachable
from studio_kubernetes.cluster.refusals import ApiRefusal
from studio_kubernetes.manifests.workload import WorkloadName
from studio_kubernetes.options import DEPLOY_OPTIONS, TARGET_OPTIONS
from studio_kubernetes.site import KubernetesSite

_REVIEW = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
_REVIEWS = "/apis/authentication.k8s.io/v1/selfsubjectreviews"


class KubernetesPlatform:
    """Serves bundles in clusters."""

    id = "kubernetes"
    title = "Kubernetes"
    schemes = ("kubernetes",)
    options: tuple[Option, ...] = TARGET_OPTIONS
    deploy_options: tuple[Option, ...] = DEPLOY_OPTIONS

    def open(self, target: TargetSpec, progress: Progress) -> KubernetesSite:
        address = parse_address(target.url)
        names = {option.name for option in self.options}
        settings = {key: text for key, text in target.settings.items() if key in names}
        values = validate(self.options, settings)
        context = find_context(address.context, values["kubeconfig"])
        patience_s = float(values["patience_s"])
        cluster = open_cluster(address.context, values["kubeconfig"], address.namespace, patience_s)
        namespace = cluster.namespace
        try:
            identity = _identify(cluster, context, address, namespace)
        except TargetError:
            cluster.close()
            raise
        return KubernetesSite(cluster, WorkloadName(address.name, namespace), identity)


def open_cluster(
    context: str, kubeconfig: str | None, namespace: str, patience_s: float
) -> Cluster:
    """Return the connection to the cluster of a context; nothing is sent yet.

    Args:
        context: Empty for the current one.
        kubeconfig: A file; ``$KUBECONFIG`` or the user's own without one.
        namespace: Empty for the context's own.
        patience_s: For one answer.

    Raises:
        Unavailable: without a kubeconfig.
        UsageError: where it cannot be used.
    """
    found = find_context(context, kubeconfig)
    configuration = _configuration(found, kubeconfig)
    place = namespace or str(found["context"].get("namespace") or "default")
    return Cluster(k8s.ApiClient(configuration), place, patience_s)


def contexts(kubeconfig: str | None = None) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return the contexts of the kubeconfig, and the current one.

    Raises:
        Unavailable: without a kubeconfig.
        UsageError: where it cannot be read.
    """
    file = _file(kubeconfig)
    try:
        found: tuple[list[dict[str, Any]], dict[str, Any]] = kube_config.list_kube_config_contexts(
            config_file=file
        )
    except ConfigException as error:
        if not any(Path(part).expanduser().exists() for part in file.split(os.pathsep) if part):
            raise Unavailable(
                f"There is no kubeconfig at {file}.",
                hint="Set $KUBECONFIG, or give the file with --set kubeconfig=FILE.",
            ) from None
        raise UsageError(f"The kubeconfig {file} cannot be used: {_first(error)}") from None
    except Exception as error:  # a YAML error, a folder, bytes: the loader lets them all through
        raise UsageError(f"The kubeconfig {file} cannot be read: {_first(error)}") from None
    return found


def find_context(name: str, kubeconfig: str | None) -> dict[str, Any]:
    """Return a context by its name, or the current one for an empty name.

    Raises:
        UsageError: for a name that the kubeconfig does not have.
    """
    known, current = contexts(kubeconfig)
    if not name:
        return current
    for one in known:
        if one["name"] == name:
            return one
    names = ", ".join(sorted(str(one["name"]) for one in known))
    raise UsageError(
        f"The kubeconfig has no context {name!r}.", hint=f"It has {names or 'none at all'}."
    )


def _file(kubeconfig: str | None) -> str:
    found = kubeconfig or os.environ.get("KUBECONFIG") or "~/.kube/config"
    return os.pathsep.join(str(Path(part).expanduser()) for part in found.split(os.pathsep))


def _configuration(context: dict[str, Any], kubeconfig: str | None) -> k8s.Configuration:
    """Return the configuration of a context's cluster; the loader writes nothing back."""
    configuration = k8s.Configuration()
    try:
        kube_config.load_kube_config(
            config_file=_file(kubeconfig),
            context=context["name"],
            client_configuration=configuration,
            persist_config=False,
        )
    except Exception as error:  # certificates that are no files, programs that do not start
        raise UsageError(
            f"The context {context['name']!r} cannot be used: {_first(error)}"
        ) from None
    configuration.retries = False  # a retry would multiply every time limit
    return configuration


def _identify(
    cluster: Cluster, context: dict[str, Any], address: Address, namespace: str
) -> Identity:
    version = cluster.version()
    who = str(context["context"].get("user") or "")
    try:
        answer = cluster.create(_REVIEWS, dict(_REVIEW), "the review of the user")
        user = (answer.get("status") or {}).get("userInfo") or {}
        who = str(user.get("username") or who)
    except ApiRefusal as error:
        if error.status == 401:
            raise
    facts = {
        "version": version,
        "context": context["name"],
        "namespace": namespace,
        "server": str(cluster.api.configuration.host),
    }
    where = f"{context['name']}, namespace {namespace}"
    return Identity(who or "nobody in particular", where, facts)


def _first(error: Exception) -> str:
    text = shorten(str(error), 300, placeholder=" ...").rstrip(".")
    return f"{text or 'no reason given'}."


__all__ = ["ClusterUnreachable", "KubernetesPlatform", "contexts", "find_context"]
