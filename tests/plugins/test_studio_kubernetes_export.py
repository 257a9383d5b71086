"""Manifests as files: plain, Kustomize and Helm; by the packager and by its command."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from studio.api import Parcel, Refused, Silent, UsageError, validate
from studio_kubernetes.__main__ import main
from studio_kubernetes.manifests.desired_state import DesiredWorkload, manifests
from studio_kubernetes.manifests.export import FORMS, kustomize
from studio_kubernetes.packager import OPTIONS, ManifestsPackager
from tests.plugins.test_studio_kubernetes_manifests import FULL, workload
from tests.rigs.kubernetes.parcels import make_parcel

CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "full": FULL,
    "kserve": {"kind": "inferenceservice", **FULL},
}


@pytest.fixture(scope="module")
def parcel(tmp_path_factory: pytest.TempPathFactory) -> Parcel:
    return make_parcel(tmp_path_factory.mktemp("parcel"), 1)


def in_order(found: list[Any]) -> list[Any]:
    return sorted(found, key=lambda one: (one["kind"], one["metadata"]["name"]))


@pytest.mark.parametrize("case", CASES)
def test_plain_files_hold_what_a_deploy_applies(case: str) -> None:
    one = workload(**CASES[case])
    found = [yaml.safe_load(text) for text in FORMS["plain"](one, ()).values()]
    assert in_order(found) == in_order(manifests(DesiredWorkload(one)))


@pytest.mark.parametrize("case", CASES)
def test_a_chart_renders_to_what_a_deploy_applies(case: str) -> None:
    """The few expressions are put in by hand; Helm itself was asked once (docs/verified.md)."""
    one = workload(**CASES[case])
    files = FORMS["helm"](one, ())
    values = yaml.safe_load(files["values.yaml"])

    def fill(match: re.Match[str]) -> str:
        words = match[1].strip(" -").split()
        if words[0] == ".Release.Namespace":
            return "prod"
        if words[0] == "toYaml":
            return repr(values[words[1].removeprefix(".Values.")])
        return str(values[words[0].removeprefix(".Values.")])

    found = [
        yaml.safe_load(re.sub(r"\{\{(.*?)\}\}", fill, text))
        for name, text in files.items()
        if name.startswith("templates/")
    ]
    assert in_order(found) == in_order(manifests(DesiredWorkload(one)))
    assert "{{ .Values.image | quote }}" in "".join(files.values())
    assert yaml.safe_load(files["Chart.yaml"])["name"] == "digits"


def test_braces_in_a_name_are_no_expression() -> None:
    from dataclasses import replace

    files = FORMS["helm"](replace(workload(), model="{{ evil }}"), ())
    assert "{{ evil" not in files["templates/deployment.yaml"]
    assert '{{ "{{" }} evil }}' in files["templates/deployment.yaml"]


def test_an_overlay_names_the_image_and_the_place() -> None:
    overlay = yaml.safe_load(kustomize(workload(), ())["overlays/prod/kustomization.yaml"])
    assert overlay["images"] == [{"name": "registry.example/digits", "newTag": "3"}]
    assert overlay["replicas"] == [{"name": "digits", "count": 1}]
    assert "replicas" not in yaml.safe_load(
        kustomize(workload(**FULL), ())["overlays/prod/kustomization.yaml"]
    )


@pytest.mark.parametrize("form", FORMS)
def test_the_packager(parcel: Parcel, tmp_path: Path, form: str) -> None:
    options = validate(OPTIONS, {"image": "r.example/cnn:{version}", "form": form})
    made = ManifestsPackager().build(parcel, tmp_path, options, Silent())
    assert Path(made["path"]).is_file()
    sizes = [path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()]
    assert made["bytes"] == sum(sizes)
    assert len(made["files"]) == len(sizes)


def test_what_the_packager_refuses(parcel: Parcel, tmp_path: Path) -> None:
    def build(**given: Any) -> None:
        options = validate(OPTIONS, {"image": "r.example/cnn:1", **given})
        ManifestsPackager().build(parcel, tmp_path, options, Silent())

    with pytest.raises(UsageError, match="does not allow the name 'A_B'"):
        build(name="A_B")
    with pytest.raises(UsageError, match="namespace"):
        build(namespace="a.b")
    with pytest.raises(Refused, match="not a quantity of cpu"):
        build(cpu="much")
    with pytest.raises(Refused, match="more memory than its limit"):
        build(memory="1Gi", memory_limit="512Mi")
    with pytest.raises(Refused, match="not the reference of an image"):
        build(image="A B")
    assert list(tmp_path.iterdir()) == []


def test_the_command(parcel: Parcel, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    words = [str(parcel.bundle), "--out", str(out), "--set", "image=r.example/cnn:{version}"]
    assert main(words) == 0
    assert str(out / "deployment.yaml") in capsys.readouterr().out
    live = yaml.safe_load((out / "deployment.yaml").read_text())
    assert live["metadata"]["annotations"]["edgewright/release-digest"] == parcel.digest
    assert main(words) == 2
    assert "is not empty" in capsys.readouterr().err
    assert main([str(tmp_path), "--out", str(tmp_path / "b"), "--set", "image=x"]) == 2
    assert "is not the folder of a bundle" in capsys.readouterr().err
    assert main([str(parcel.bundle), "--out", str(tmp_path / "c")]) == 4
    assert "Missing image for the cluster" in capsys.readouterr().err
    assert main([str(parcel.bundle), "--out", str(tmp_path / "c"), "--set", "x"]) == 2


def test_a_bundle_in_config_maps(parcel: Parcel, tmp_path: Path) -> None:
    given = {"image": "r.example/python:3.13", "bundle": "configmap"}
    made = ManifestsPackager().build(parcel, tmp_path, validate(OPTIONS, given), Silent())
    maps = [name for name in made["files"] if name.startswith("configmap-")]
    assert len(maps) == 2


def test_a_bundle_that_is_too_large(parcel: Parcel, tmp_path: Path) -> None:
    from dataclasses import replace

    (tmp_path / "bundle").mkdir()
    (tmp_path / "bundle" / "model.onnx").write_bytes(bytes((1 << 20) + 1))
    given = {"image": "r.example/python:3.13", "bundle": "configmap"}
    large = replace(parcel, bundle=tmp_path / "bundle")
    with pytest.raises(Refused, match=r"has 1\.0 MiB; a ConfigMap holds 1 MiB"):
        ManifestsPackager().build(large, tmp_path / "out", validate(OPTIONS, given), Silent())
