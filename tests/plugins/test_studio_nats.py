"""The source of NATS: addresses, and what it says without its library."""

from __future__ import annotations

import sys

import pytest

from studio.api import BrokerLogin, Extension, Silent, StateSource, Unavailable, UsageError
from studio.api.testing_declarations import check_declaration
from studio.plugin_host import PluginHost


@pytest.fixture(scope="module")
def source() -> StateSource:
    found: StateSource = PluginHost.discover().get(Extension.STATE, "nats")
    return found


@pytest.mark.parametrize("name", ["nats", "mqtt"])
def test_sources_declare_themselves(name: str) -> None:
    host = PluginHost.discover()
    (capability,) = (one for one in host.all(Extension.STATE) if one.id == name)
    check_declaration(Extension.STATE, host.get(Extension.STATE, name), name, capability.extra)


def test_without_its_library(source: StateSource, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "nats"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "studio_nats.state_messages", raising=False)
    monkeypatch.setitem(sys.modules, "nats", None)
    with pytest.raises(Unavailable, match="nats-py is not installed") as missing:
        source.open("nats://127.0.0.1:1", "a/b", BrokerLogin(), Silent(), create=False)
    assert missing.value.hint == "Install the extra: edgewright[nats]."


@pytest.mark.parametrize("address", ["nats://", "nats://h:x", "nats://u:p@h", "nats://h/path"])
def test_an_address_of_another_form(source: StateSource, address: str) -> None:
    with pytest.raises(UsageError, match="not an address"):
        source.open(address, "a/b", BrokerLogin(), Silent(), create=False)
