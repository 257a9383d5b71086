"""What is said of a server that is asked how it is, and is not there any more."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

import pytest

from studio.runtime.release.trial.soak import status_of
from studio.runtime.shared.errors import ReleaseError


class Gone:
    """Lives as far as anybody knows, and listens no more."""

    ended = "it ended on trial"

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self._port = listener.getsockname()[1]

    def runs(self) -> bool:
        return True

    def report(self) -> Mapping[str, Any]:
        return {"scheme": "http", "host": "127.0.0.1", "port": self._port}

    def token(self) -> str:
        return ""


def test_where_nobody_listens_any_more_the_server_has_ended() -> None:
    with pytest.raises(ReleaseError, match="it ended on trial") as raised:
        status_of(Gone(), "digest")
    assert raised.value.code == "soak-failed"
