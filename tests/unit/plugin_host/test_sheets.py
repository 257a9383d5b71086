"""Sheets of the Deploy page: the built-in ones, and the complaints about a bad one."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, ClassVar

import pytest

from studio.api import Extension, Option, StudioError, TargetSpec
from studio.api.sheets import DeploySheet
from studio.api.testing_declarations import check_sheet
from studio.plugin_host import PluginHost

VALUES: dict[str, dict[str, str]] = {
    "ssh": {"name": "roof", "url": "pi@10.0.0.9"},
    "docker": {"name": "box", "engine": "unix:///run/docker.sock"},
    "kubernetes": {"context": "lab", "namespace": "shop", "name": "web"},
    "sagemaker": {"region": "eu-central-1", "endpoint": "tags-eu"},
    "vertex": {"project": "shop-1", "region": "europe-west4", "endpoint": "tags"},
    "azureml": {
        "subscription": "00000000-0000-0000-0000-000000000000",
        "resource_group": "shop",
        "workspace": "lab",
        "endpoint": "tags",
    },
}
ADDRESSES = {
    "ssh": "ssh://pi@10.0.0.9",
    "docker": "docker:box",
    "kubernetes": "kubernetes://lab/shop/web",
    "sagemaker": "sagemaker://eu-central-1/tags-eu",
    "vertex": "vertex://europe-west4/tags",
    "azureml": "azureml://lab/tags",
}


@pytest.mark.parametrize("identifier", sorted(VALUES))
def test_each_built_in_sheet_names_a_target_of_its_scheme(identifier: str) -> None:
    host = PluginHost.discover()
    capability = next(one for one in host.all(Extension.SHEET) if one.id == identifier)
    sheet = host.call(capability)
    check_sheet(sheet, capability.extra)
    spec = sheet.spec(VALUES[identifier])
    assert spec.url == ADDRESSES[identifier]
    assert spec.url.partition(":")[0] in capability.schemes
    assert "/" not in spec.name


@pytest.mark.parametrize("identifier", ["kubernetes", "sagemaker", "vertex", "azureml"])
def test_a_place_that_cannot_be_is_refused_in_a_sentence(identifier: str) -> None:
    host = PluginHost.discover()
    capability = next(one for one in host.all(Extension.SHEET) if one.id == identifier)
    values = {**VALUES[identifier], "endpoint": "no such name!", "name": "no such name!"}
    with pytest.raises(StudioError):
        host.call(capability).spec(values)


def test_sheets_import_no_qt_and_no_library_of_a_platform() -> None:
    """The window makes them in a turn of its own event loop."""
    code = """
import sys
from studio.api import Extension
from studio.plugin_host import PluginHost
host = PluginHost.discover()
for one in host.all(Extension.SHEET):
    host.call(one)
heavy = ("PySide6", "docker", "kubernetes", "boto3", "google", "azure", "paramiko", "requests")
print(sorted(set(heavy) & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


class Attic(DeploySheet):
    """A sheet that asks for too much."""

    place_options: ClassVar = tuple(Option(f"name_{n}", help="A name.") for n in range(9))

    def spec(self, values: Any) -> TargetSpec:
        return TargetSpec("attic", "attic:")


def test_a_sheet_that_asks_for_too_much_is_told_so() -> None:
    with pytest.raises(AssertionError, match="place_options shows 9 options"):
        check_sheet(Attic(), {"schemes": ["attic"]})
    with pytest.raises(AssertionError, match="its group 'roof' is not one of devices"):
        check_sheet(Attic(), {"schemes": ["attic"], "group": "roof"})
    with pytest.raises(AssertionError, match="names no schemes"):
        check_sheet(Attic(), {})
    with pytest.raises(AssertionError, match="it is no studio"):
        check_sheet(object(), {"schemes": ["attic"]})
