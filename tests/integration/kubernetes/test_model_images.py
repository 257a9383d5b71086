"""Models by the digest that the studio pushed, against Kubernetes' own API server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from studio.api import Parcel, Publication, Silent, validate
from studio_kubernetes.manifests.config_maps import maps_of
from studio_kubernetes.manifests.desired_state import DesiredWorkload, manifests
from studio_kubernetes.manifests.workload import WorkloadName, workload_of
from studio_kubernetes.packager import OPTIONS, ManifestsPackager
from studio_kubernetes.site import KubernetesSite
from studio_oci.registry import OciRegistry
from tests.benchmarks.serve.peers import free_port
from tests.integration.kubernetes.conftest import Lab
from tests.rigs.engine import RegistryServer
from tests.rigs.kubernetes.sites import AtPoint, options

Parcels = tuple[Parcel, Parcel]
PYTHON = "registry.example/python:3.13"
READY = json.dumps({"status": {"conditions": [{"type": "Ready", "status": "True"}]}})


@pytest.fixture(scope="module")
def references(parcels: Parcels, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The images of both parcels in Debian's registry, by digest."""
    with RegistryServer(tmp_path_factory.mktemp("registry") / "store", free_port()) as server:
        session = OciRegistry().open(f"oci://{server.address}/models", Silent())
        given = validate(OciRegistry.options, {"modelcar": "yes"})
        yield [
            session.push(
                Publication(one.bundle, one.digest, one.manifest, "cnn"), given, Silent()
            ).references["modelcar"]
            for one in parcels
        ]


def given(reference: str, bundle: str = "volume", **more: Any) -> dict[str, Any]:
    """The options of a deploy."""
    return options(image=PYTHON, bundle=bundle, model_image=reference, **more)


def test_an_image_volume(
    lab: Lab, site: KubernetesSite, namespace: str, parcels: Parcels, references: list[str]
) -> None:
    lab.controller.node._images.update(
        {name: parcel.bundle for name, parcel in zip(references, parcels, strict=True)}
    )
    path = "jsonpath={.spec.template.spec.volumes[?(@.name=='bundle')].image}"
    for name, parcel in zip(references, parcels, strict=True):
        assert site.deploy(parcel, given(name), Silent()).state == "serving"
        text = lab.kubectl("-n", namespace, "get", "deployments", "cnn", "-o", path)
        assert json.loads(text) == {"reference": name, "pullPolicy": "IfNotPresent"}
    assert site.rollback(None, Silent()).release == parcels[0].digest
    site.remove(True, Silent())
    assert site.resources() == []


@pytest.mark.parametrize("kind", ["inferenceservice", "llminferenceservice"])
@pytest.mark.parametrize("bundle", ["volume", "modelcar"])
def test_kserve_takes_the_digest(
    lab: Lab,
    site: KubernetesSite,
    namespace: str,
    parcels: Parcels,
    references: list[str],
    kind: str,
    bundle: str,
) -> None:
    """The API server takes it and keeps it; what KServe does with it is not tested."""

    def say_ready() -> None:
        lab.kubectl(
            "-n", namespace, "patch", f"{kind}s", "cnn", "--subresource=status",
            "--type=merge", "-p", READY,
        )  # fmt: skip

    parcel = parcels[0]
    if kind == "llminferenceservice":
        settings = {"context": 512, "slots": 2, "cache": "f16"}
        parcel = replace(
            parcel, manifest={**parcel.manifest, "generation": settings}, memory_mb=300
        )
    chosen = given(references[0], bundle, kind=kind)
    done = site.deploy(parcel, chosen, AtPoint("KServe has not said", say_ready))
    assert done.state == "serving"
    text = lab.kubectl("-n", namespace, "get", f"{kind}s", "cnn", "-o", "jsonpath={.spec}")
    wanted = f"oci://{references[0]}" if bundle == "modelcar" else references[0]
    assert json.dumps(wanted) in text
    site.remove(True, Silent())
    assert site.resources() == []


@pytest.mark.parametrize("bundle", ["volume", "configmap"])
def test_kustomize_takes_the_digest(
    lab: Lab, parcels: Parcels, references: list[str], tmp_path: Path, bundle: str
) -> None:
    """A digest that was changed in the overlay is the one that is rendered."""
    more = {"model_image": references[0]} if bundle == "volume" else {}
    chosen = validate(
        OPTIONS,
        {"image": PYTHON, "bundle": bundle, "name": "cnn", "namespace": "prod",
         "form": "kustomize", **more},
    )  # fmt: skip
    ManifestsPackager().build(parcels[0], tmp_path, chosen, Silent())
    overlay = tmp_path / "overlays" / "prod"
    for path in overlay.glob("model-*.yaml"):
        path.write_text(path.read_text().replace(references[0], references[1]))
    rendered = lab.kubectl("kustomize", str(overlay))
    place = WorkloadName("cnn", "prod")
    maps = maps_of(parcels[0], place, bundle)
    assert maps is not None
    changed = {**chosen, **({"model_image": references[1]} if more else {})}
    workload = workload_of(parcels[0], changed, place, maps.names, maps.files)
    wanted = [*maps.manifests, *manifests(DesiredWorkload(workload))]
    found = [one for one in yaml.safe_load_all(rendered) if one]
    assert sorted(found, key=_key) == sorted(wanted, key=_key)


def _key(one: dict[str, Any]) -> tuple[str, str]:
    return one["kind"], one["metadata"]["name"]
