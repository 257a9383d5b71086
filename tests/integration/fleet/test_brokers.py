"""A served release whose state comes to the studio through each broker, with login and TLS."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.settings import resource
from tests.conftest import _need
from tests.e2e.conftest import Studio
from tests.integration.apps.broker import BrokerProcess
from tests.integration.fleet.conftest import secret_file
from tests.rigs.boards import until
from tests.rigs.nats_server import NatsServer

BOARD = "desk-1"
_NATS_USERS = """
tls {{ cert_file: "{chain}", key_file: "{key}" }}
accounts {{
  STUDIO {{
    jetstream: enabled
    users: [ {{ user: "studio", password: "studio secret" }} ]
    exports: [ {{ service: "edgewright.state.*", accounts: [BOARDS] }} ]
  }}
  BOARDS {{
    users: [ {{ user: "desk-1", password: "board secret", permissions: {{
        publish: "edgewright.state.desk-1", subscribe: "_INBOX.desk-1.>" }} }} ]
    imports: [ {{ service: {{ account: STUDIO, subject: "edgewright.state.*" }} }} ]
  }}
}}
"""
_MQTT_USERS = """
allow_anonymous false
cafile {chain}
certfile {chain}
keyfile {key}
password_file {folder}/passwords
acl_file {folder}/acl
"""
_MQTT_RULES = """
user desk-1
topic write edgewright/state/desk-1
user studio
topic readwrite edgewright/state/+
"""


def status(studio: Studio, source: str, login: Path, *more: str) -> Any:
    """Return what ``fleet status`` shows."""
    return studio.ok("fleet", "status", "--source", source, "--login", login, *more)


def asked(studio: Studio, times: int) -> None:
    """Send requests to the served sample."""
    data = resource("samples", "digits") / "heldout.npz"
    studio.ok("call", "--target", "local", "--data", data, "--requests", str(times))


def joined(studio: Studio, source: str, login: Path) -> None:
    """Let the served sample publish every second."""
    done = studio.ok(
        *("fleet", "join", "--target", "local", "--source", source, "--login", login),
        *("--board", BOARD, "--label", "site=north", "--every", "1"),
        timeout=600,
    )
    assert done["board"] == BOARD
    assert done["restarted"] is True


def check_counts(studio: Studio, source: str, login: Path, *more: str) -> None:
    """Requests that the sample answers are counted at the studio."""

    def row() -> Any:
        found = status(studio, source, login, *more)["boards"]
        return found[0] if found else None

    until(lambda: row() is not None, "the board is heard", 60.0)
    before = row()["requests"]
    asked(studio, 7)
    until(lambda: row()["requests"] == before + 7, "its requests are counted", 60.0)
    found = row()
    release = studio.ok("releases", "--target", "local")[0]["release"]
    assert found["name"] == BOARD
    assert found["state"] == "good"
    assert found["release"] == release
    assert found["labels"] == {"site": "north"}
    assert found["errors"] == 0
    assert found["latency_ms"]["p50"] > 0


@pytest.fixture(scope="module")
def nats(tmp_path_factory: pytest.TempPathFactory, certificate: tuple[Path, Path]) -> Any:
    """A NATS server with TLS and two users."""
    chain, key = certificate
    server = NatsServer(tmp_path_factory.mktemp("nats"), _NATS_USERS.format(chain=chain, key=key))
    server.start()
    yield server
    server.stop()


def test_through_nats_with_tls_and_users(
    served: Studio, nats: NatsServer, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    source, ca = f"tls://127.0.0.1:{nats.port}", str(certificate[0])
    board = secret_file(tmp_path / "b.json", user=BOARD, password="board secret", ca=ca)
    desk = secret_file(tmp_path / "s.json", user="studio", password="studio secret", ca=ca)
    ended = served.run("fleet", "status", "--source", source, "--login", desk)
    assert ended.code == 1
    assert "has no stream" in ended.err
    joined(served, source, board)
    check_counts(served, source, desk, "--create")
    wrong = secret_file(tmp_path / "w.json", user="studio", password="board secret", ca=ca)
    ended = served.run("fleet", "status", "--source", source, "--login", wrong)
    assert ended.code == 1
    # The server may end the connection before its words were read.
    assert "Authorization" in ended.err or "wrong user or password" in ended.err
    unknown = secret_file(tmp_path / "u.json", user="studio", password="studio secret")
    ended = served.run("fleet", "status", "--source", source, "--login", unknown)
    assert ended.code == 1
    assert "certificate" in ended.err


@pytest.fixture(scope="module")
def mosquitto(
    tmp_path_factory: pytest.TempPathFactory, certificate: tuple[Path, Path]
) -> Iterator[BrokerProcess]:
    """Mosquitto with TLS, users and rules."""
    folder = tmp_path_factory.mktemp("mqtt")
    for user, password in (("desk-1", "board secret"), ("studio", "studio secret")):
        create = ["-c"] if user == "desk-1" else []
        subprocess.run(
            [_need("mosquitto_passwd"), "-b", *create, folder / "passwords", user, password],
            check=True,
        )
    (folder / "acl").write_text(_MQTT_RULES)
    chain, key = certificate
    broker = BrokerProcess(folder, _MQTT_USERS.format(chain=chain, key=key, folder=folder))
    broker.start()
    yield broker
    broker.kill()


def test_through_mosquitto_with_tls_and_users(
    served: Studio, mosquitto: BrokerProcess, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    source, ca = f"mqtts://127.0.0.1:{mosquitto.port}", str(certificate[0])
    board = secret_file(tmp_path / "b.json", user=BOARD, password="board secret", ca=ca)
    desk = secret_file(tmp_path / "s.json", user="studio", password="studio secret", ca=ca)
    joined(served, source, board)
    check_counts(served, source, desk)
    wrong = secret_file(tmp_path / "w.json", user="studio", password="nothing", ca=ca)
    ended = served.run("fleet", "status", "--source", source, "--login", wrong)
    assert ended.code == 1
    assert "ot authorized" in ended.err or "refuses" in ended.err


def test_a_broker_that_was_killed_loses_no_count(
    served: Studio, mosquitto: BrokerProcess, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    source, ca = f"mqtts://127.0.0.1:{mosquitto.port}", str(certificate[0])
    desk = secret_file(tmp_path / "s.json", user="studio", password="studio secret", ca=ca)
    before = status(served, source, desk)["boards"][0]["requests"]
    mosquitto.kill()
    asked(served, 5)
    mosquitto.start()
    until(
        lambda: status(served, source, desk)["boards"][0]["requests"] == before + 5,
        "counts of the time without a broker",
        60.0,
    )


def test_a_target_that_leaves_publishes_no_longer(served: Studio) -> None:
    done = served.ok("fleet", "leave", "--target", "local", timeout=600)
    assert done["board"] == ""
    assert done["changed"] is True
    again = served.ok("fleet", "leave", "--target", "local", timeout=600)
    assert again["changed"] is False
    log = json.dumps(served.ok("verify-log", "--target", "local"))
    assert "board secret" not in log


@pytest.mark.parametrize("kind", ["nats", "mosquitto"])
def test_a_board_that_left_is_forgotten_at_the_broker(
    served: Studio,
    certificate: tuple[Path, Path],
    tmp_path: Path,
    request: pytest.FixtureRequest,
    kind: str,
) -> None:
    port = request.getfixturevalue(kind).port
    source = f"{'tls' if kind == 'nats' else 'mqtts'}://127.0.0.1:{port}"
    secrets = {"user": "studio", "password": "studio secret", "ca": str(certificate[0])}
    desk = secret_file(tmp_path / "s.json", **secrets)
    assert [one["name"] for one in status(served, source, desk)["boards"]] == [BOARD]
    login = ("--source", source, "--login", desk)
    done = served.ok("fleet", "forget", *login, "--board", BOARD)
    assert done["boards"] == [BOARD]
    assert status(served, source, desk)["known"] == 0
