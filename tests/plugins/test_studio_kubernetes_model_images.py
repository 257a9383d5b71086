"""The model by digest: image volumes, modelcars of KServe, values of charts and overlays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from studio.api import Parcel, Refused, Silent, UsageError, validate
from studio_kubernetes.manifests.config_maps import maps_of
from studio_kubernetes.manifests.desired_state import DesiredWorkload, manifests
from studio_kubernetes.manifests.export import FORMS
from studio_kubernetes.manifests.model_images import check_model_image, model_places
from studio_kubernetes.manifests.validation import problems
from studio_kubernetes.manifests.workload import Json, Workload
from studio_kubernetes.packager import OPTIONS, ManifestsPackager
from studio_kubernetes.rollout.record import ReleaseEntry
from tests.plugins.test_studio_kubernetes_language import speaker
from tests.plugins.test_studio_kubernetes_manifests import workload
from tests.rigs.kubernetes.parcels import make_parcel

MODEL = f"registry.example:5000/models/digits@sha256:{'a' * 64}"
WITH_IMAGE_VOLUMES = ("1.31", "1.33", "1.35", "1.37")
MAPS = ("", "digits-runtime-1")


def served(kind: str = "deployment", bundle: str = "volume", **given: Any) -> Workload:
    """A workload whose model is in an image of its own."""
    made = speaker if kind == "llminferenceservice" else workload
    return replace(made(kind=kind, bundle=bundle, model_image=MODEL, **given), maps=MAPS)


def pod(one: Workload) -> Json:
    """The pod in the manifests of a workload."""
    kinds = ("Deployment", "InferenceService", "LLMInferenceService")
    found = next(m for m in manifests(DesiredWorkload(one)) if m["kind"] in kinds)
    spec = found["spec"]
    inner: Json = spec.get("predictor") or spec["template"].get("spec") or spec["template"]
    return inner


@pytest.mark.parametrize("version", WITH_IMAGE_VOLUMES)
def test_an_image_volume_has_the_schema_of_kubernetes(version: str) -> None:
    found = manifests(DesiredWorkload(served()))
    assert problems(found) == []
    for one in found:
        kubernetes_validate.validate(one, version, strict=True)


@pytest.mark.parametrize("kind", ["deployment", "inferenceservice", "llminferenceservice"])
def test_an_image_volume_is_mounted_by_digest(kind: str) -> None:
    found = pod(served(kind))
    volumes = {one["name"]: one for one in found["volumes"]}
    assert volumes["bundle"]["image"] == {"reference": MODEL, "pullPolicy": "IfNotPresent"}
    assert volumes["runtime"]["configMap"] == {"name": "digits-runtime-1"}
    container = found["containers"][0]
    mounts = {one["name"]: one for one in container["volumeMounts"]}
    assert mounts["bundle"] == {"name": "bundle", "mountPath": "/bundle", "readOnly": True}
    command = container["command"]
    assert command[command.index("--bundle") + 1] == "/bundle/models"


def test_a_modelcar_of_an_inference_service() -> None:
    found = pod(served("inferenceservice", "modelcar"))
    environment = {one["name"]: one.get("value") for one in found["containers"][0]["env"]}
    assert environment["STORAGE_URI"] == f"oci://{MODEL}"
    assert "bundle" not in {one["name"] for one in found["volumes"]}
    command = found["containers"][0]["command"]
    assert command[command.index("--bundle") + 1] == "/mnt/models"


def test_a_modelcar_of_an_llm_inference_service() -> None:
    found = manifests(DesiredWorkload(served("llminferenceservice", "modelcar")))
    spec = next(one for one in found if one["kind"] == "LLMInferenceService")["spec"]
    assert spec["model"]["uri"] == f"oci://{MODEL}"
    assert "storageInitializer" not in spec, "KServe mounts the model"
    environment = {one["name"] for one in spec["template"]["containers"][0]["env"]}
    assert "STORAGE_URI" not in environment


def test_a_volume_needs_nothing_of_kserve() -> None:
    found = manifests(DesiredWorkload(served("llminferenceservice")))
    spec = next(one for one in found if one["kind"] == "LLMInferenceService")["spec"]
    assert spec["storageInitializer"] == {"enabled": False}
    assert spec["model"]["uri"] == f"oci://{MODEL}"


@pytest.mark.parametrize(
    "reference",
    [
        "registry.example/models/digits",
        "registry.example/models/digits:3",
        f"digits@sha256:{'a' * 64}",
        f"registry.example/models/digits:3@sha256:{'a' * 64}",
        f"registry.example/models/Digits@sha256:{'a' * 64}",
        f"registry.example/models/digits@sha256:{'a' * 63}",
        f"registry.example/../digits@sha256:{'a' * 64}",
        f"registry.example/{'a' * 600}@sha256:{'a' * 64}",
        "x\n@sha256:",
    ],
)
def test_a_reference_without_a_digest(reference: str) -> None:
    one = replace(workload(bundle="volume", model_image=reference), maps=MAPS)
    with pytest.raises(UsageError, match="is no reference with a digest"):
        check_model_image(one)


def test_a_missing_reference() -> None:
    with pytest.raises(UsageError, match="Missing image of the model") as caught:
        check_model_image(workload(bundle="volume"))
    assert "studio registry push" in caught.value.hint


@pytest.mark.parametrize("bundle", ["image", "configmap"])
def test_a_model_image_without_a_place(bundle: str) -> None:
    with pytest.raises(UsageError, match="needs a place"):
        check_model_image(workload(bundle=bundle, model_image=MODEL))


def test_a_modelcar_without_kserve() -> None:
    with pytest.raises(Refused, match="is mounted by KServe"):
        check_model_image(served(bundle="modelcar"))


CASES = {
    "volume": served(),
    "kserve volume": served("inferenceservice"),
    "modelcar": served("inferenceservice", "modelcar"),
    "llm": served("llminferenceservice", "modelcar"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_chart_takes_the_digest_as_a_value(case: str) -> None:
    files = FORMS["helm"](CASES[case], ())
    assert yaml.safe_load(files["values.yaml"])["modelImage"] == MODEL
    text = "".join(text for name, text in files.items() if name.startswith("templates/"))
    assert MODEL not in text
    assert text.count(".Values.modelImage | quote }}") == 1


@pytest.mark.parametrize("case", CASES)
def test_an_overlay_patches_the_digest(case: str) -> None:
    one = CASES[case]
    files = FORMS["kustomize"](one, ())
    overlay = yaml.safe_load(files["overlays/prod/kustomization.yaml"])
    patch = overlay["patches"][0]
    changes = yaml.safe_load(files[f"overlays/prod/{patch['path']}"])
    wanted = manifests(DesiredWorkload(one))
    target = next(m for m in wanted if m["kind"] == patch["target"]["kind"])
    assert {(c["path"], c["value"]) for c in changes} == {
        (path, scheme + MODEL) for path, scheme in model_places(target, MODEL)
    }


def test_other_workloads_have_no_such_value() -> None:
    one = workload()
    assert "modelImage" not in yaml.safe_load(FORMS["helm"](one, ())["values.yaml"])
    overlay = FORMS["kustomize"](one, ())["overlays/prod/kustomization.yaml"]
    assert "patches" not in yaml.safe_load(overlay)


def test_places_in_keys_with_slashes() -> None:
    found = list(model_places({"a/b": [{"c~d": MODEL}]}, MODEL))
    assert found == [("/a~1b/0/c~0d", "")]


@pytest.fixture(scope="module")
def parcel(tmp_path_factory: pytest.TempPathFactory) -> Parcel:
    return make_parcel(tmp_path_factory.mktemp("parcel"), 1)


def test_the_packager_writes_the_runtime_alone(parcel: Parcel, tmp_path: Path) -> None:
    given = {"image": "registry.example/python:3.13", "bundle": "volume", "model_image": MODEL}
    chosen = validate(OPTIONS, {"form": "helm", **given})
    made = ManifestsPackager().build(parcel, tmp_path, chosen, Silent())
    maps = [yaml.safe_load((tmp_path / n).read_text().replace("{{", "'{{").replace("}}", "}}'"))
            for n in made["files"] if "configmap" in n]  # fmt: skip
    assert [list(one["binaryData"]) for one in maps] == [["runtime.pyz"]]


def test_a_rollback_finds_the_model_again(parcel: Parcel) -> None:
    one = served()
    entry = ReleaseEntry(
        one.release, one.model, one.version, one.image, dict(one.options), 1, maps=one.maps
    )
    again = entry.workload(one.place)
    assert pod(again) == pod(one)
    maps = maps_of(parcel, one.place, "volume")
    assert maps is not None
    assert maps.names[0] == ""
    assert len(maps.manifests) == 1
