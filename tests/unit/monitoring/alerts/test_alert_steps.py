"""The steps about alerts, as the command line asks for them."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.cli.main import main

Got = list[dict[str, Any]]


@pytest.fixture
def hook() -> Iterator[tuple[str, Got]]:
    """A webhook that takes what it is sent."""
    got: Got = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", got
        server.shutdown()
        thread.join()


@pytest.mark.slow
def test_a_test_reaches_the_channel_that_is_named_and_no_other(
    hook: tuple[str, Got], studio_home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url, got = hook
    path = tmp_path / "alerts.toml"
    path.write_text(
        f'[[channels]]\nkind = "webhook"\nname = "ours"\nurl = "{url}/a"\n'
        '[[channels]]\nkind = "webhook"\nname = "gone"\nurl = "http://127.0.0.1:1/b"\n'
    )
    assert main(["monitor", "test", "--alerts", str(path), "--channel", "ours"]) == 0
    assert capsys.readouterr().out == "ours: It was taken.\n"
    (notice,) = got
    assert (notice["state"], notice["name"]) == ("test", "test")
    assert main(["monitor", "test", "--alerts", str(path)]) == 1
    assert "gone: The webhook at http://127.0.0.1:1 cannot be reached" in capsys.readouterr().err
    assert len(got) == 2, "one that fails does not keep the others from being tried"
    assert main(["monitor", "test", "--alerts", str(path), "--channel", "our"]) == 2
    assert "It has: ours, gone." in capsys.readouterr().err


@pytest.mark.slow
def test_silences_are_made_listed_and_ended(
    studio_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    silence = ["monitor", "silence"]
    assert main(silence) == 0
    assert capsys.readouterr().out == "No active silences.\n"
    words = ["--target", "local", "--alert", "drift", "--minutes", "30", "--note", "new lamp"]
    assert main([*silence, *words, "--json"]) == 0
    (hold,) = json.loads(capsys.readouterr().out)["holds"]
    assert hold["until"] - hold["at"] == pytest.approx(1800)
    assert main(silence) == 0
    assert capsys.readouterr().out.startswith("drift of local is silent until ")
    assert main([*silence, "--target", "local", "--alert", "drift", "--minutes", "0"]) == 0
    assert capsys.readouterr().out == "No active silences.\n"
    assert main([*silence, "--target", "locl"]) == 1
    assert "Unknown target: 'locl'." in capsys.readouterr().err
    assert main([*silence, "--target", "local", "--ack"]) == 2
    assert "One alert of one target is acknowledged" in capsys.readouterr().err
