"""Methods of quantization that plugins bring."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.api import UsageError, validate
from studio.plugin_host import PluginHost
from studio.quantization.methods import check_method, methods, with_methods
from studio.quantization.step import METHODS, QUANTIZE
from studio.workspace.presets import Presets

METHOD = next(option for option in QUANTIZE.form if option.name == "method")


@pytest.fixture(scope="module")
def host() -> PluginHost:
    return PluginHost.discover()


def test_a_plugins_method_is_offered_and_says_what_is_missing(host: PluginHost) -> None:
    assert methods(host) == {"nncf": "int8, by NNCF (to be installed)"}
    offered = with_methods(METHOD, host)
    assert offered.choices == (*METHODS, "nncf")
    assert len(offered.choice_titles) == len(offered.choices)


def test_what_nobody_brings_is_refused(host: PluginHost) -> None:
    assert validate([METHOD], {"method": "nncf"}) == {"method": "nncf"}
    check_method("nncf", host)
    for name in ("magic", "fold"):  # an edit is no method
        with pytest.raises(UsageError, match=f"Unknown method '{name}'; it is one of static-int8"):
            check_method(name, host)


def test_a_preset_with_it(host: PluginHost, tmp_path: Path) -> None:
    presets = Presets(tmp_path, lambda: host)
    checked = presets.check("int8-nncf")
    assert checked.values["preset"] == "mixed"
    (tmp_path / "mine.toml").write_text('method = "magic"\n')
    with pytest.raises(UsageError, match=r"line 1, column 1: unknown method 'magic'"):
        presets.check(str(tmp_path / "mine.toml"))
