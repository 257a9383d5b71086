"""The variables of a worker: what it is given, and what only those with secrets are."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.api import Permission
from studio.jobs.sandbox import environment
from studio.settings import Paths

SECRET = (
    "EDGEWRIGHT_TOKEN",
    "MLFLOW_TRACKING_TOKEN",
    "AWS_SECRET_ACCESS_KEY",
    "AZURE_CLIENT_SECRET",
)


def test_logins_reach_those_alone_that_need_secrets(
    studio_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*SECRET, "SOMETHING_ELSE"):
        monkeypatch.setenv(name, "x")
    for needs in ((), (Permission.NETWORK,), (Permission.NETWORK, Permission.HOME)):
        given = environment(Paths.of(), tmp_path, frozenset(needs))
        assert not {*SECRET, "SOMETHING_ELSE"} & given.keys(), needs
    given = environment(Paths.of(), tmp_path, frozenset({Permission.SECRETS}))
    assert set(SECRET) <= given.keys()
    assert "SOMETHING_ELSE" not in given


def test_a_walled_worker_is_told_a_short_list(
    studio_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ("PIP_INDEX_URL", "https_proxy", "HTTPS_PROXY", "EDGEWRIGHT_OTHER", "SSH_AUTH_SOCK")
    for name in (*given, *SECRET, "LD_PRELOAD", "SOMETHING_ELSE", "LANG"):
        monkeypatch.setenv(name, "x")
    walled = environment(Paths.of(), tmp_path, frozenset())
    assert not {*given, *SECRET, "LD_PRELOAD", "SOMETHING_ELSE"} & walled.keys()
    assert (walled["HOME"], walled["LANG"]) == (str(tmp_path), "x")
    with_network = environment(Paths.of(), tmp_path, frozenset({Permission.NETWORK}))
    certificates = {"SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"}
    added = with_network.keys() - walled.keys() - certificates
    assert added >= {"https_proxy", "HTTPS_PROXY"}
    assert all(name.lower().endswith("_proxy") for name in added)
    unwalled = environment(Paths.of(), tmp_path, frozenset({Permission.HOME}))
    assert set(given) <= unwalled.keys()
