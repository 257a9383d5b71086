"""The way in which the studio was installed, and the command that adds a package there."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from studio.settings.installation import (
    MARKER,
    Installation,
    install_command,
    installation,
    missing_packages,
)

BOTO = "boto3>=1.40"
RECEIPT = """
[tool]
requirements = [
    {{ name = "edgewright", {place} }},
    {{ name = "zeroconf", specifier = ">=0.140" }},
]
"""


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    folder = tmp_path / "edgewright"
    folder.mkdir()
    return folder


def test_this_is_a_checkout() -> None:
    assert installation() is Installation.CHECKOUT
    assert "-m pip install 'boto3>=1.40'" in missing_packages([BOTO])


def test_uv_repeats_what_was_added_before(environment: Path) -> None:
    receipt = environment / "uv-receipt.toml"
    receipt.write_text(RECEIPT.format(place='path = "/tmp/my wheels/edgewright.whl"'))
    assert installation(environment) is Installation.UV_TOOL
    words = shlex.split(install_command([BOTO], environment))
    added = ["--with", "zeroconf>=0.140", "--with", BOTO]
    assert words == ["uv", "tool", "install", *added, "/tmp/my wheels/edgewright.whl"]


def test_uv_keeps_versions_and_extras(environment: Path) -> None:
    place = 'specifier = "==0.1.0", extras = ["mqtt"]'
    (environment / "uv-receipt.toml").write_text(RECEIPT.format(place=place))
    assert install_command([BOTO], environment).endswith(" 'edgewright[mqtt]==0.1.0'")


@pytest.mark.parametrize("receipt", ["", "tool = 1", "[tool]\nrequirements = [1]", "= damaged"])
def test_a_receipt_of_another_form_still_gives_the_command(environment: Path, receipt: str) -> None:
    (environment / "uv-receipt.toml").write_text(receipt)
    assert install_command([BOTO], environment) == (
        "uv tool install --with 'boto3>=1.40' edgewright"
    )


def test_pipx_injects_into_its_environment(environment: Path) -> None:
    (environment / "pipx_metadata.json").write_text("{}")
    assert installation(environment) is Installation.PIPX
    assert install_command([BOTO], environment) == "pipx inject edgewright 'boto3>=1.40'"


def test_the_environment_of_a_debian_package_is_roots(environment: Path) -> None:
    (environment / MARKER).write_text("Debian package\n")
    assert installation(environment) is Installation.DEBIAN
    command = install_command(["paho-mqtt"], environment)
    assert command == f"sudo {environment}/bin/python -m pip install paho-mqtt"


def test_an_appimage_cannot_be_added_to(environment: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (environment / MARKER).write_text("AppImage\n")
    assert install_command([BOTO], environment) == ""
    monkeypatch.setattr("sys.prefix", str(environment))
    assert "install the wheel with uv or pipx" in missing_packages([BOTO])


def test_a_marker_with_an_unknown_word_is_pip(environment: Path) -> None:
    (environment / MARKER).write_text("snap\n")
    assert installation(environment) is Installation.PIP
