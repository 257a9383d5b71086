"""Requirements of plugins: quick answers are those of ``packaging``."""

from __future__ import annotations

import pytest
from packaging.requirements import Requirement

from studio.plugin_host import requirements
from studio.plugin_host.requirements import missing

VERSIONS = ("0", "1", "1.0", "1.0.0", "1.21", "1.20.9", "1.9", "6.33.5", "6.33.50", "10", "01.2")


def installed(monkeypatch: pytest.MonkeyPatch, version: str | None) -> None:
    monkeypatch.setattr(requirements, "installed_version", lambda name: version)


@pytest.mark.parametrize("version", [*VERSIONS, "1.21rc1", "1.22.dev3", "2.0+cpu", "1!1.0"])
def test_each_answer_is_that_of_packaging(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    installed(monkeypatch, version)
    texts = [
        f"numpy{sign}{other}"
        for sign in (">=", ">= ", "~=", "<", "==", "!=")
        for other in VERSIONS
        if sign != "~=" or "." in other
    ]
    wanted = [one for one in texts if not Requirement(one).specifier.contains(version, True)]
    assert list(missing(texts)) == wanted
    assert wanted


def test_without_a_version_it_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, "0.1")
    assert missing(["numpy", "ruamel.yaml", "zope-interface"]) == ()
    installed(monkeypatch, None)
    assert missing(["numpy", "numpy>=1", "numpy<3"]) == ("numpy", "numpy>=1", "numpy<3")


def test_what_another_system_needs_is_not_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, None)
    assert missing(["pywin32>=300; sys_platform == 'win32'"]) == ()


@pytest.mark.parametrize("text", ["", "-x", "numpy>=", "numpy>=1.x.", "numpy >=1 junk"])
def test_what_is_no_requirement_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        missing([text])
