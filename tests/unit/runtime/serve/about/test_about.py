"""The notice of a real server: page, JSON, hostile texts, what is recorded, and another version."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.runtime.serve.about.page import _paragraph
from studio.runtime.shared.user_notice import FILE, UserNotice, notice_in
from tests.rigs.apps import app_bundle, make_app
from tests.rigs.bundles import make_bundle
from tests.unit.runtime.serve.rig import ServerProcess, switch, wait_until

TOKEN = "a-token-that-nobody-sees-on-a-page"
STATED = {
    "purpose": "Counts <b>cars</b> & \"lorries\" <script>alert('x')</script>",
    "provider": "Ada & Co, ada@example.org",
    "known_limits": ["Night <img src=x onerror=alert(1)>"],
    "worst": {
        "title": "Top-1 accuracy",
        "column": "light",
        "group": "night",
        "samples": 120,
        "value": 0.71,
        "overall": 0.9,
        "low": 0.62,
        "high": 0.78,
    },
}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServerProcess]:
    bundle = make_bundle(tmp_path / "bundle", notice=STATED)
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "token").chmod(0o600)
    given = (f"--bundle={bundle.folder}", f"--token-file={tmp_path / 'token'}")
    with ServerProcess(*given, log=tmp_path / "log") as server:
        yield server


def the_page(server: ServerProcess) -> tuple[Any, str]:
    connection = server.connect()
    connection.request("GET", "/about", headers={"Host": "sign.example", "Accept": "text/html"})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer, text


def test_the_page_needs_no_token_and_runs_nothing(served: ServerProcess) -> None:
    answer, text = the_page(served)
    assert answer.status == 200
    policy = answer.getheader("Content-Security-Policy", "")
    assert policy.startswith("default-src 'none'")
    assert "script-src" not in policy
    assert answer.getheader("X-Content-Type-Options") == "nosniff"
    assert answer.getheader("Cache-Control") == "no-store"
    assert "An AI system makes the answers here." in text
    assert TOKEN not in text


def test_markup_in_answers_is_text(served: ServerProcess) -> None:
    _, text = the_page(served)
    assert "<script" not in text
    assert "<img" not in text
    assert "Counts &lt;b&gt;cars&lt;/b&gt; &amp; &quot;lorries&quot; &lt;script&gt;" in text
    assert "ada@example.org" in text
    assert "Top-1 accuracy 0.71 for light: night (120 samples)" in text
    assert text.count("Not stated by the provider.") == 2


def test_the_same_is_given_as_json(served: ServerProcess) -> None:
    status, found = served.get("/edgewright/about")
    assert status == 200
    assert found["ai"] is True
    one = found["serves"][0]
    assert (one["name"], one["version"], one["app"]) == ("cnn", "1", None)
    assert one["purpose"] == STATED["purpose"]
    assert one["appeal"] == ""
    assert found["recorded"][0] == "No request and no answer is stored."
    assert served.call("GET", "/about", Accept="application/json")[1] == found
    assert TOKEN not in json.dumps(found)


def test_other_methods_and_addresses_still_need_the_token(served: ServerProcess) -> None:
    assert served.call("POST", "/about", {})[0] == 401
    assert served.get("/edgewright/status")[0] == 401
    assert served.get("/about/more")[0] == 401


def test_a_server_that_is_told_so_gives_no_notice(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle", notice=STATED)
    log = tmp_path / "log"
    with ServerProcess(f"--bundle={bundle.folder}", log=log, EDGEWRIGHT_ABOUT="off") as server:
        assert server.get("/about")[0] == server.get("/edgewright/about")[0] == 404


def test_a_bare_model_states_nothing(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "bundle")
    shutil.copy(bundle.folder / "model.onnx", tmp_path / "bare.onnx")
    with ServerProcess(f"--model={tmp_path / 'bare.onnx'}", log=tmp_path / "log") as server:
        _, text = the_page(server)
        assert "About bare" in text
        assert text.count("Not stated by the provider.") == 5


def test_an_app_has_its_title_notice_and_what_it_keeps(tmp_path: Path) -> None:
    top = 'notice = "For <b>tests</b>."'
    make_app(tmp_path / "lanes", source="realtime = true\nloop = true", top=top)
    bundle = app_bundle(tmp_path, tmp_path / "lanes", notice=STATED)
    given = {"FILM": str(tmp_path / "lanes/film.avi")}
    with ServerProcess(
        f"--bundle={bundle.folder}",
        log=tmp_path / "log",
        EDGEWRIGHT_APP_DATA=str(tmp_path / "data"),
        EDGEWRIGHT_APP_VARIABLES=json.dumps(given),
    ) as server:
        _, found = server.get("/edgewright/about")
        one = found["serves"][0]
        assert one["notice"] == "For <b>tests</b>."
        assert one["title"] != one["name"]
        assert "The operator can replace a decision" in one["overrides"]
        assert "Events of the app are kept until they are delivered" in found["recorded"][0]
        assert str(tmp_path) not in json.dumps(found)
        assert "For &lt;b&gt;tests&lt;/b&gt;." in the_page(server)[1]


def test_the_notice_follows_the_version_that_is_served(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "run").mkdir(parents=True)
    releases = []
    for version, purpose in enumerate(("The first use", "The second use"), 1):
        made = make_bundle(tmp_path / str(version), version, notice={"purpose": purpose})
        place = root / "releases" / made.digest
        shutil.copytree(made.folder, place)
        releases.append(place)
    switch(root, releases[0])
    with ServerProcess(f"--root={root}", log=tmp_path / "log") as server:
        assert "The first use" in the_page(server)[1]
        switch(root, releases[1])
        server.hang_up()
        wait_until(lambda: "The second use" in the_page(server)[1], "the second version")
        switch(root, releases[0])
        server.hang_up()
        wait_until(lambda: "The first use" in the_page(server)[1], "the first version again")


def test_switched_on_records_are_stated(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "run").mkdir(parents=True)
    made = make_bundle(tmp_path / "bundle")
    shutil.copytree(made.folder, root / "releases" / made.digest)
    switch(root, root / "releases" / made.digest)
    sampling = {"of": made.digest, "most": 25, "room": 1 << 20}
    with ServerProcess(f"--root={root}", log=tmp_path / "log") as server:
        assert server.get("/edgewright/about")[1]["recorded"][0].startswith("No request")
        (root / "run/sampling.json").write_text(json.dumps(sampling))
        (root / "run/decisions.json").write_text(json.dumps({"days": 30, "room": 1, "on": True}))
        recorded = server.get("/edgewright/about")[1]["recorded"]
        assert recorded[:2] == [
            "Up to 25 requests are stored, to be labelled.",
            "Answers are recorded for 30 days.",
        ]


def test_the_notice_is_a_listed_file_of_the_bundle(tmp_path: Path) -> None:
    stated, plain = make_bundle(tmp_path / "a", notice=STATED), make_bundle(tmp_path / "b")
    assert FILE in {one.name for one in stated.files}
    assert FILE not in {one.name for one in plain.files}
    assert stated.content != plain.content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"nonsense",
        b"\xff\xfe",
        b'{"known_limits": 3}',
        b'{"worst": {"title": 1e999}}',
        b"[" * 100_000,
        b'{"purpose": "' + b"x" * (300 * 1024) + b'"}',
    ],
)
def test_a_damaged_notice_states_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert notice_in(tmp_path) == UserNotice()


def test_a_pipe_in_its_place_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / FILE)
    assert notice_in(tmp_path) == UserNotice()


def test_texts_are_bounded_and_without_hidden_marks() -> None:
    turned, bell = "\u202e", "\x07"
    notice = UserNotice.of(
        {
            "purpose": "word " * 5000,
            "provider": f"a{turned}b{bell}\nc",
            "known_limits": ["x"] * 100,
            "worst": {**STATED["worst"], "value": float("nan")},
        }
    )
    assert len(notice.purpose) <= 2000
    assert notice.purpose.endswith(" …")
    assert notice.provider == "ab\nc"
    assert len(notice.known_limits) == 40
    assert notice.worst is None


def test_marks_of_code_are_no_part_of_a_sentence() -> None:
    assert _paragraph("Set `A` to 1.") == "<p>Set A to 1.</p>"
