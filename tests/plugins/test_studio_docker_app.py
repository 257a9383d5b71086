"""Settings of an app's container: what is refused, and what makes another container."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.api import Parcel, UsageError, validate
from studio_docker.containers.app_place import AppPlace, read_variables
from studio_docker.containers.releases import ContainerSpec
from studio_docker.image.spec import IMAGE_OPTIONS
from studio_docker.options import CONTAINER_OPTIONS


def parcel(folder: Path, app: bool = True) -> Parcel:
    manifest: dict[str, Any] = {
        "name": "gate",
        "version": 1,
        **({"app": {"name": "gate"}} if app else {}),
    }
    return Parcel(folder, folder / "runtime.pyz", "ab" * 32, manifest, "ann@here")


def options(**given: Any) -> dict[str, Any]:
    return dict(validate((*CONTAINER_OPTIONS, *IMAGE_OPTIONS), given))


def test_a_model_has_no_network_and_an_app_has_one(tmp_path: Path) -> None:
    model = ContainerSpec.of(parcel(tmp_path, app=False), options(devices="/dev/video0"))
    assert model.app is None
    assert model.settings()["network_mode"] == "none"
    app = AppPlace.of(parcel(tmp_path), options(devices="/dev/video0", device_groups="video,20"))
    assert app is not None
    assert app.settings()["network_mode"] == "bridge"
    assert app.settings()["devices"] == ["/dev/video0:/dev/video0:rw"]
    assert app.settings()["group_add"] == ["video", "20"]


def test_other_variables_make_another_container(tmp_path: Path) -> None:
    file = tmp_path / "values"
    names = []
    for text in ("A=1\n", "A=2\n", "# same\nA=2\n"):
        file.write_text(text)
        spec = ContainerSpec.of(parcel(tmp_path), options(variables_file=str(file)))
        names.append(spec.name("sha256:1"))
    assert names[0] != names[1]
    assert names[1] == names[2]


def test_a_file_of_variables_becomes_json(tmp_path: Path) -> None:
    file = tmp_path / "values"
    file.write_text("# gate\n\nCAMERA=rtsp://a/b=c\r\nTOKEN= x \n")
    assert json.loads(read_variables(str(file))) == {"CAMERA": "rtsp://a/b=c", "TOKEN": " x "}


@pytest.mark.parametrize("content", [b"hunter2", b"lower=hunter2", b"\xff", b"A=" + b"x" * 70_000])
def test_a_file_of_another_form_is_refused_without_its_content(
    tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "values"
    file.write_bytes(content)
    with pytest.raises(UsageError) as error:
        read_variables(str(file))
    assert "hunter2" not in error.value.message


@pytest.mark.parametrize(
    "given", [{"devices": "/etc/shadow"}, {"devices": "/dev/../etc"}, {"device_groups": "a b"}]
)
def test_only_devices_and_groups_are_passed_on(tmp_path: Path, given: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="of the engine's machine"):
        AppPlace.of(parcel(tmp_path), options(**given))
