"""The real API server for the tests of this folder, with a namespace for each of them."""

from __future__ import annotations

import itertools
import math
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config

from studio.api import Parcel, Silent, TargetSpec
from studio_kubernetes.platform import KubernetesPlatform
from studio_kubernetes.site import KubernetesSite
from tests.conftest import Need
from tests.integration.kubernetes.api_store import ApiStore
from tests.integration.kubernetes.server import HERE, ApiServer, built
from tests.rigs.kubernetes import kubeconfig
from tests.rigs.kubernetes.controller import Controller
from tests.rigs.kubernetes.node import Node
from tests.rigs.kubernetes.parcels import images, make_parcel
from tests.rigs.patience import patience

_numbers = itertools.count(1)


@dataclass
class Lab:
    """A real API server, with stub controllers and one node that runs the real runtime."""

    server: ApiServer
    controller: Controller
    store: ApiStore
    core: client.CoreV1Api
    config: Path
    folder: Path

    def namespace(self) -> str:
        """A new one."""
        name = f"space-{next(_numbers)}"
        self.core.create_namespace({"metadata": {"name": name}})
        self.store.namespaces.add(name)
        return name

    def target(self, namespace: str, context: str = "admin") -> TargetSpec:
        """A target there."""
        limit = math.ceil(patience(3))
        settings = {"kubeconfig": str(self.config), "patience_s": str(limit)}
        return TargetSpec("web", f"kubernetes://{context}/{namespace}/cnn", settings=settings)

    def kubectl(self, *arguments: str, check: bool = True, text: str = "") -> str:
        """What the real kubectl prints."""
        done = subprocess.run(
            ["kubectl", "--kubeconfig", str(self.config), *arguments],
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="session")
def parcels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Parcel, Parcel]:
    folder = tmp_path_factory.mktemp("parcels")
    return make_parcel(folder, 1), make_parcel(folder, 2)


@pytest.fixture(scope="session")
def lab(
    rigs: Path, need: Need, tmp_path_factory: pytest.TempPathFactory, parcels: Any
) -> Iterator[Lab]:
    for program in ("etcd", "kubectl", "mmdebstrap"):
        need(program)
    try:
        program = built(rigs / "kubernetes-api")
    except subprocess.SubprocessError as error:
        pytest.skip(f"Debian's unstable packages do not build the API server now: {error}")
    folder = tmp_path_factory.mktemp("cluster")
    with ApiServer(program, folder) as server:
        path = kubeconfig(folder / "kubeconfig", server.url, server.certificate)
        settings = client.Configuration()
        config.load_kube_config(config_file=str(path), client_configuration=settings)
        api = client.ApiClient(settings)
        store = ApiStore(api)
        node = Node(folder / "node", images(*parcels), parcels[0].runtime)
        controller = Controller(store, node, pause_s=0.3)
        found = Lab(server, controller, store, client.CoreV1Api(api), path, folder)
        found.kubectl("apply", "-f", str(HERE / "crds.yaml"))
        # KServe's own schemas, if they are there: 5 MB that no package has.
        for path in sorted((rigs / "kserve-crds").glob("*.yaml")):
            found.kubectl("delete", "--ignore-not-found", "-f", str(path))
            found.kubectl("create", "-f", str(path))
        _await_definitions(found)
        controller.start()
        yield found
        controller.stop()
        api.close()


def _await_definitions(lab: Lab) -> None:
    """Wait until the API server serves the custom resources."""
    words = ("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    for _attempt in range(20):
        # kubectl fails for a definition that has no conditions yet.
        if "error" not in lab.kubectl(*words, check=False):
            return
        time.sleep(0.5)
    lab.kubectl(*words)


@pytest.fixture
def namespace(lab: Lab) -> str:
    return lab.namespace()


@pytest.fixture
def site(lab: Lab, namespace: str) -> Iterator[KubernetesSite]:
    opened = KubernetesPlatform().open(lab.target(namespace), Silent())
    yield opened
    opened.close()
