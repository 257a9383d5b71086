"""Secrets do not reach the log, however they are written."""

from __future__ import annotations

import logging
import time
import types
from pathlib import Path

import pytest

from studio.settings import Paths
from studio.settings.redaction import REDACTED, Redactor, keys_of, traceback_of
from studio.settings.secrets import SecretStore

NO_KEYRING = types.SimpleNamespace(get_keyring=lambda: types.SimpleNamespace(priority=0))
KEY = """-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktdjEAAAAAhunter2
-----END OPENSSH PRIVATE KEY-----"""


@pytest.mark.parametrize(
    "text",
    [
        "GET /v2/models?token=hunter2&x=1",
        "token: hunter2",
        '{"token": "hunter2", "port": 8000}',
        "{'password': 'hunter2 with spaces'}",
        r"{\"api_key\": \"hunter2\"}",
        "Call(target='a', access_key='hunter2')",
        "Authorization: Bearer hunter2",
        "authorization: Basic dXNlcjpodW50ZXIy hunter2",
        "headers={'Authorization': 'Digest username=\"a\", response=\"hunter2\"'}",
        "('Proxy-Authorization', 'hunter2')",
        "the server refused bearer hunter2.hunter2",
        "https://user:hunter2@host/path",
        "https://user:p@ss-hunter2@host/path",
        "https://hunter2@host/path",
        "postgresql+psycopg://u:hunter2@host:5432/db",
        "https://account.blob.core.windows.net/c?sv=2022&sig=hunter2%3D",
        "https://bucket/x?X-Amz-Signature=hunter2&X-Amz-Date=1",
        f"the key {KEY} is protected",
        repr(KEY),
        KEY.rpartition("\n")[0],
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.hunter2",
        "ghp_hunter2hunter2hunter2",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAhunter2",
    ],
)
def test_what_is_written_like_a_secret_is_removed(text: str) -> None:
    redacted = Redactor().text(text)
    assert "hunter2" not in redacted
    assert REDACTED in redacted


@pytest.mark.parametrize(
    "text",
    [
        "12 tokens a second, 3 of 9 blobs",
        "ssh://pi@board-7:22/home/pi",
        "https://registry.example.com/v2/models@sha256:0123",
        "digits:int8 has a drop of 0.2 % at user@host:port",
        "--token-file /etc/edgewright/file names no file",
        '"seconds": 3.25, "job": "6fab7faa8c18"',
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Redactor().text(text) == text


def test_kept_secrets_are_removed_by_their_value(tmp_path: Path) -> None:
    paths = Paths.of(home=tmp_path)
    SecretStore(paths, NO_KEYRING).set("mail", 'two words\nand "quotes" é')
    redactor = Redactor.of(paths.data, {})
    for text in (
        'said two words\nand "quotes" é to it',
        r"said two words\nand \"quotes\" \u00e9 to it",
        "said two%20words%0Aand%20%22quotes%22%20%C3%A9 to it",
    ):
        assert redactor.text(text) == f"said {REDACTED} to it"


def test_a_secret_of_the_keyring_is_removed_once_it_was_asked_for(tmp_path: Path) -> None:
    class Keyring:
        priority = 5

        def get_keyring(self) -> Keyring:
            return self

        def get_password(self, service: str, name: str) -> str:
            return "correct horse"

    store = SecretStore(Paths.of(home=tmp_path), Keyring())
    redactor = Redactor()
    assert redactor.text("correct horse") == "correct horse"
    assert store.get("mail") == "correct horse"
    assert redactor.text("a correct horse") == f"a {REDACTED}"


def test_secrets_in_variables_are_removed_and_other_variables_are_not(tmp_path: Path) -> None:
    variables = {
        "EDGEWRIGHT_TOKEN": "swordfish-1",
        "MLFLOW_TRACKING_PASSWORD": "swordfish-2",
        "USE_TOKEN": "true",
        "TOKEN_FILE_SECRET": "/run/secrets/x",
        "LANG": "C.UTF-8-swordfish",
    }
    redactor = Redactor.of(tmp_path, variables)
    text = redactor.text("swordfish-1 swordfish-2 true /run/secrets/x C.UTF-8-swordfish")
    assert text == f"{REDACTED} {REDACTED} true /run/secrets/x C.UTF-8-swordfish"


def test_message_traceback_and_keys_of_a_record_are_redacted() -> None:
    try:
        raise ValueError("https://user:hunter2@host")
    except ValueError as error:
        found = (type(error), error, error.__traceback__)
    record = logging.LogRecord("a", logging.ERROR, "", 1, "with %s", ("token=hunter2",), found)
    record.url = "https://user:hunter2@host"
    record.api_token = "hunter2"
    record.traceback_of_worker = "Bearer hunter2hunter2"
    assert Redactor().filter(record)
    said = [record.getMessage(), traceback_of(record), *map(str, keys_of(record).values())]
    assert "hunter2" not in "".join(said)
    assert "ValueError" in traceback_of(record)
    assert record.getMessage() == f"with token={REDACTED}"


def test_a_value_that_cannot_say_itself_is_no_error() -> None:
    class Odd:
        def __str__(self) -> str:
            raise RuntimeError("odd")

    record = logging.LogRecord("a", logging.INFO, "", 1, "a %s", (Odd(),), None)
    record.odd = Odd()
    assert Redactor().filter(record)
    assert (record.getMessage(), keys_of(record)) == ("a %s", {"odd": "<Odd>"})


def test_a_record_whose_arguments_do_not_fit_is_no_error() -> None:
    record = logging.LogRecord("a", logging.INFO, "", 1, "%d of %d", ("one",), None)
    assert Redactor().filter(record)
    assert record.getMessage() == "%d of %d"


@pytest.mark.parametrize(
    "text", ["token" * 3_000, "a:" * 8_000, "://" * 6_000, "-----BEGIN " * 1_500, "sk-" * 6_000]
)
def test_hostile_texts_take_no_time(text: str) -> None:
    began = time.process_time()
    Redactor().text(text)
    assert time.process_time() - began < 1.0


def test_what_was_redacted_stays_as_it_is() -> None:
    text = Redactor().text(f"token=a, https://u:b@c Bearer abcdefgh\nAuthorization: d\n{KEY}")
    assert Redactor().text(text) == text
