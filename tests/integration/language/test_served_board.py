"""A language model on a real board over SSH, asked by the clients that people have."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gguf
import pytest

from tests.e2e.conftest import Studio
from tests.rigs.boards import Board, Network, shown, until
from tests.rigs.hostile_prompts import Attacker
from tests.rigs.language import gguf_file
from tests.rigs.language_clients import Clients, client_python

pytestmark = [
    pytest.mark.rig,
    pytest.mark.needs("sshd", "ip", "unshare", "ssh-keygen", "curl"),
]

MODEL = "smollm2"
TOKEN = "a-token-of-the-tests"
QUESTION = "Reply with one short sentence: what is a cat?"

STREAM = """
import json, os, openai
client = openai.OpenAI()
parts = []
stream = client.chat.completions.create(
    model=os.environ["MODEL"], temperature=0, max_tokens=12, stream=True,
    stream_options={"include_usage": True}, messages=[{"role": "user", "content": QUESTION}])
usage = None
for part in stream:
    usage = part.usage or usage
    parts += [choice.delta.content or "" for choice in part.choices]
print(json.dumps({"parts": parts, "tokens": usage.completion_tokens}))
""".replace("QUESTION", repr(QUESTION))
WHOLE = """
import json, os, openai
client = openai.OpenAI()
answer = client.chat.completions.create(
    model=os.environ["MODEL"], temperature=0, max_tokens=12,
    messages=[{"role": "user", "content": QUESTION}], logprobs=True, top_logprobs=2)
text = client.completions.create(model=os.environ["MODEL"], prompt="1, 2, 3,", max_tokens=6,
    temperature=0).choices[0].text
models = [one.id for one in client.models.list()]
try:
    client.chat.completions.create(model="other", messages=[{"role": "user", "content": "x"}])
except openai.NotFoundError as error:
    refused = error.code
print(json.dumps({"text": answer.choices[0].message.content, "count": text, "models": models,
    "refused": refused, "logprobs": len(answer.choices[0].logprobs.content)}))
""".replace("QUESTION", repr(QUESTION))
LANGCHAIN = """
import json, os
from langchain_openai import ChatOpenAI
model = ChatOpenAI(model=os.environ["MODEL"], temperature=0, max_tokens=12)
text = model.invoke(QUESTION).content
parts = [part.content for part in model.stream(QUESTION)]
print(json.dumps({"text": text, "streamed": "".join(parts)}))
""".replace("QUESTION", repr(QUESTION))
UNAUTHORIZED = """
import json, openai
try:
    openai.OpenAI(api_key="wrong").models.list()
except openai.AuthenticationError as error:
    print(json.dumps(error.status_code))
"""


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    with Network() as network, Board(network, tmp_path_factory.mktemp("board")) as made:
        yield made


@pytest.fixture(scope="module")
def deployed(studio: Studio, board: Board, rigs: Path, tmp_path_factory: Any) -> dict[str, Any]:
    """The model of the wheel on the board; with the seconds until it answered."""
    folder = tmp_path_factory.mktemp("model")
    model = folder / f"{MODEL}.gguf"
    shutil.copyfile(gguf_file(rigs), model)
    token = folder / "token"
    token.write_text(TOKEN)
    words = ("edge", board.url, "--key-file", board.key_file)
    studio.ok("target", "add", *words, "--accept-host-key", shown(board.host_key))
    more = ("--target", "edge", "--context", "1024", "--slots", "2", "--soak-s", "0")
    access = ("--expose", "network", "--token", "given", "--token-file", token)
    began = time.monotonic()
    found = studio.ok("deploy", model, *more, *access, timeout=600)
    seconds = time.monotonic() - began
    print(f"answering after {seconds:.1f} s")
    return {**found, "seconds": seconds}


@pytest.fixture(scope="module")
def clients(deployed: dict[str, Any], rigs: Path) -> Clients:
    return Clients(client_python(rigs), deployed["endpoint"], TOKEN, MODEL)


def test_the_client_of_openai(clients: Clients) -> None:
    streamed: Any = clients.run(STREAM)
    whole: Any = clients.run(WHOLE)
    assert "".join(streamed["parts"]) == whole["text"]
    assert 0 < streamed["tokens"] <= 12
    assert whole["count"].startswith(" 4, 5")
    assert whole["models"] == [MODEL]
    assert whole["refused"] == "model_not_found"
    assert whole["logprobs"] > 0


def test_langchain(clients: Clients) -> None:
    found: Any = clients.run(LANGCHAIN)
    assert found["text"]
    assert found["streamed"] == found["text"]


def test_curl(clients: Clients) -> None:
    body = {"model": MODEL, "prompt": "1, 2, 3,", "max_tokens": 4, "temperature": 0, "stream": True}
    command = ["curl", "-sN", f"{clients.url}/v1/completions", "-d", json.dumps(body)]
    command += ["-H", f"Authorization: Bearer {TOKEN}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.endswith("data: [DONE]\n\n")
    assert done.stdout.startswith("data: {")


def test_a_wrong_token_is_refused(clients: Clients) -> None:
    assert clients.run(UNAUTHORIZED) == 401


def test_tokens_are_counted(clients: Clients) -> None:
    language = _status(clients)["language"]
    assert language["answer_tokens"] > 0
    assert language["cached_tokens"] > 0
    assert language["active"] == 0


def test_a_changed_layer_is_all_that_is_sent(
    studio: Studio, deployed: dict[str, Any], rigs: Path, tmp_path: Path
) -> None:
    changed = tmp_path / f"{MODEL}.gguf"
    shutil.copyfile(gguf_file(rigs), changed)
    reader = gguf.GGUFReader(changed, "r+")
    tensor = next(one for one in reader.tensors if one.name == "blk.7.ffn_norm.weight")
    tensor.data[0] = tensor.data[0] * 1.5
    del reader, tensor
    again = studio.ok("deploy", changed, "--target", "edge", "--context", "1024", "--slots", "2")
    assert again["bytes_sent"] < 4_000_000
    assert deployed["bytes_sent"] > 90_000_000


def test_a_thousand_hostile_requests(studio: Studio, clients: Clients) -> None:
    place = urlsplit(clients.url)
    attacker = Attacker(str(place.hostname), int(place.port or 0), TOKEN)
    attacker.attack(100)
    memory = _status(clients)["memory_mb"]
    attacker.attack(900)
    until(lambda: _status(clients)["language"]["active"] == 0, "no answer is left", 120)
    after = _status(clients)["memory_mb"]
    print(f"statuses {attacker.statuses}, {memory} MB before, {after} MB after")
    assert not {0, 500} & set(attacker.statuses)
    assert after < memory * 1.1
    assert clients.run(STREAM)


def test_a_context_that_does_not_fit_is_refused_with_what_would(
    studio: Studio, deployed: dict[str, Any], rigs: Path
) -> None:
    ended = studio.run("deploy", gguf_file(rigs), "--target", "edge", "--context", "9000")
    assert ended.code != 0
    assert "was made for 8192 tokens" in ended.err


def _status(clients: Clients) -> Any:
    wanted = urllib.request.Request(
        f"{clients.url}/edgewright/status", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(wanted, timeout=60) as answer:
        return json.load(answer)
