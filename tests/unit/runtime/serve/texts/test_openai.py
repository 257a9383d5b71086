"""OpenAI's interface over real HTTP: whole answers, streams, errors, clients that leave."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.runtime.generate.text_models import alone
from tests.unit.runtime.serve.rig import wait_until
from tests.unit.runtime.serve.texts.byte_server import ByteServer, write_model

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"
HELLO = [{"role": "user", "content": "hello"}]
PROMPT = b"<user>hello\n<assistant>"
"""What the template makes of it."""
SEQUENCE = [257, *PROMPT]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ByteServer]:
    folder = tmp_path_factory.mktemp("bytes")
    model = write_model(folder / "letters.gguf")
    with ByteServer(f"--model={model}", log=folder / "log") as one:
        yield one


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ByteServer]:
    """A server that answers completions of lines with a fixed text."""
    folder = tmp_path_factory.mktemp("script")
    model = write_model(folder / "script.gguf", text='{"name": "Ada", "age": 36}')
    with ByteServer(f"--model={model}", log=folder / "log") as one:
        yield one


def chat(server: ByteServer, **more: Any) -> tuple[int, Any]:
    """Ask for a chat."""
    body = {"messages": HELLO, "max_tokens": 6, "temperature": 0, **more}
    return server.call("POST", CHAT, body)


def events(server: ByteServer, path: str, body: dict[str, Any]) -> list[Any]:
    """Return the documents of a stream."""
    status, raw = server.call("POST", path, {**body, "stream": True})
    assert status == 200
    parts = raw.decode().split("\n\n")
    assert parts[-1] == ""
    assert parts[-2] == "data: [DONE]"
    return [json.loads(part.removeprefix("data: ")) for part in parts[:-2]]


def test_a_chat_is_answered(server: ByteServer) -> None:
    status, answer = chat(server)
    assert status == 200
    assert answer["object"] == "chat.completion"
    assert answer["model"] == "letters"
    [choice] = answer["choices"]
    expected = {"role": "assistant", "content": alone(SEQUENCE, 6)}
    assert choice["message"] == expected
    assert choice["finish_reason"] == "length"
    used = answer["usage"]
    assert (used["prompt_tokens"], used["completion_tokens"]) == (len(SEQUENCE), 6)


def test_a_stream_gives_the_same(server: ByteServer) -> None:
    parts = events(server, CHAT, {"messages": HELLO, "max_tokens": 6, "temperature": 0})
    assert parts[0]["choices"][0]["delta"]["role"] == "assistant"
    text = "".join(part["choices"][0]["delta"].get("content", "") for part in parts)
    assert text == alone(SEQUENCE, 6)
    assert [part["choices"][0]["finish_reason"] for part in parts][-2:] == [None, "length"]
    assert len({part["id"] for part in parts}) == 1


def test_a_stream_has_numbers_of_tokens_where_wanted(server: ByteServer) -> None:
    body = {"messages": HELLO, "max_tokens": 3, "stream_options": {"include_usage": True}}
    parts = events(server, CHAT, body)
    assert parts[-1]["choices"] == []
    assert parts[-1]["usage"]["completion_tokens"] == 3
    assert all(part["usage"] is None for part in parts[:-1])


def test_a_text_is_continued_with_probabilities(server: ByteServer) -> None:
    body = {"prompt": "once", "max_tokens": 4, "temperature": 0, "logprobs": 2, "echo": True}
    status, answer = server.call("POST", COMPLETIONS, body)
    assert status == 200
    [choice] = answer["choices"]
    assert choice["text"] == "once" + alone([257, *b"once"], 4)
    assert len(choice["logprobs"]["tokens"]) == 4
    assert all(value <= 0 for value in choice["logprobs"]["token_logprobs"])
    assert all(len(rows) == 2 for rows in choice["logprobs"]["top_logprobs"])


def test_tokens_are_continued_like_their_text(server: ByteServer) -> None:
    body = {"max_tokens": 4, "temperature": 0}
    _, of_text = server.call("POST", COMPLETIONS, {**body, "prompt": "once"})
    _, of_tokens = server.call("POST", COMPLETIONS, {**body, "prompt": [257, *b"once"]})
    assert of_tokens["choices"][0]["text"] == of_text["choices"][0]["text"]


def test_seeds(server: ByteServer) -> None:
    def drawn(seed: int) -> str:
        text: str = chat(server, seed=seed, temperature=2, max_tokens=40)[1]["choices"][0][
            "message"
        ]["content"]
        return text

    assert drawn(3) == drawn(3)
    assert drawn(3) != drawn(4)


def test_stop_words_and_the_end(writer: ByteServer) -> None:
    body = {"prompt": "write\n", "max_tokens": 100, "temperature": 0}
    _, answer = writer.call("POST", COMPLETIONS, body)
    assert answer["choices"][0]["text"] == '{"name": "Ada", "age": 36}'
    assert answer["choices"][0]["finish_reason"] == "stop"
    _, answer = writer.call("POST", COMPLETIONS, {**body, "stop": ["age", ","]})
    assert answer["choices"][0]["text"] == '{"name": "Ada"'


def test_a_schema_is_kept_to(server: ByteServer) -> None:
    schema = {
        "type": "object",
        "properties": {"kind": {"enum": ["left", "right"]}, "count": {"type": "integer"}},
        "required": ["kind", "count"],
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    for seed in range(5):
        _, answer = chat(server, response_format=wanted, max_tokens=200, temperature=2, seed=seed)
        found = json.loads(answer["choices"][0]["message"]["content"])
        assert found["kind"] in ("left", "right")
        assert isinstance(found["count"], int)


def test_the_model_is_listed(server: ByteServer) -> None:
    _, answer = server.get("/v1/models")
    assert [row["id"] for row in answer["data"]] == ["letters"]
    assert answer["data"][0]["max_model_len"] == 512
    assert answer["models"] == ["letters"]
    _, one = server.get("/v1/models/letters")
    assert one["object"] == "model"


def test_it_is_also_a_model_of_the_open_inference_protocol(server: ByteServer) -> None:
    _, described = server.get("/v2/models/letters")
    assert [each["name"] for each in described["inputs"]] == ["text_input"]
    wanted = {"name": "text_input", "datatype": "BYTES", "shape": [1], "data": ["once"]}
    status, answer = server.call("POST", "/v2/models/letters/infer", {"inputs": [wanted]})
    assert status == 200
    assert answer["outputs"][0]["data"][0].startswith(alone([257, *b"once"], 8))


def test_answers_at_the_same_time_are_those_of_each_alone(server: ByteServer) -> None:
    connections = []
    for number in range(8):
        connection = server.connect()
        body = {"prompt": f"number {number}", "max_tokens": 20 + number, "temperature": 0}
        connection.request("POST", COMPLETIONS, json.dumps(body))
        connections.append(connection)
    for number, connection in enumerate(connections):
        answer = json.loads(connection.getresponse().read())
        expected = alone([257, *f"number {number}".encode()], 20 + number)
        assert answer["choices"][0]["text"] == expected
        connection.close()


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"messages": []}, "messages", "at least one"),
        ({"messages": "hello"}, "messages", "list of objects"),
        ({"messages": [{"role": "king", "content": ""}]}, "messages[0]", "role is one of"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0]", "content is a text"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages[0]",
            "list of texts",
        ),
        ({"messages": HELLO, "temperature": 3}, "temperature", "from 0 to 2"),
        ({"messages": HELLO, "temperature": "hot"}, "temperature", "is a number"),
        ({"messages": HELLO, "max_tokens": 0}, "max_tokens", "whole number"),
        ({"messages": HELLO, "max_tokens": 10**400}, "max_tokens", "whole number"),
        ({"messages": HELLO, "n": 3}, "n", "from 1 to 1"),
        ({"messages": HELLO, "stop": [""]}, "stop", "a text or a list"),
        ({"messages": HELLO, "logit_bias": {"x": 1}}, "logit_bias", "tokens below 258"),
        ({"messages": HELLO, "logit_bias": {"9999": 1}}, "logit_bias", "tokens below 258"),
        ({"messages": HELLO, "tool_choice": {"type": "x"}}, "tool_choice", "auto or none"),
        ({"messages": HELLO, "response_format": {"type": "x"}}, "response_format", "json_object"),
        (
            {
                "messages": HELLO,
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"schema": {"type": "string", "pattern": "a+"}},
                },
            },
            "response_format",
            "'pattern' is not known",
        ),
        ({"messages": HELLO, "model": "other"}, "model", "but letters"),
        ({"messages": [{"role": "user", "content": "x" * 600}]}, "messages", "context holds 512"),
        ({"messages": [{"role": "user", "content": "x" * 99_000}]}, "messages", "context holds"),
    ],
)
def test_a_wrong_field_is_named(
    server: ByteServer, body: dict[str, Any], field: str, words: str
) -> None:
    status, answer = server.call("POST", CHAT, body)
    assert status in (400, 404)
    assert answer["error"]["param"] == field
    assert words in answer["error"]["message"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b"\xff\xfe{}", b'{"messages": NaN}', b"[" * 100_000]
)
def test_what_is_no_object_is_refused(server: ByteServer, body: bytes) -> None:
    status, answer = server.call("POST", CHAT, body)
    assert status == 400
    assert answer["error"]["message"] == "The body is not a JSON object in UTF-8."


def test_a_prompt_of_10_mb_is_refused_before_it_is_read(server: ByteServer) -> None:
    body = json.dumps({"prompt": "x" * 10_000_000}).encode()
    with socket.create_connection((server.host, server.port), timeout=20) as link:
        head = (
            f"POST {COMPLETIONS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        link.sendall(head.encode())
        assert b" 413 " in link.recv(4096)


def test_fields_that_are_not_known_are_logged_once(server: ByteServer) -> None:
    for _ in range(3):
        assert chat(server, reasoning_effort="high", max_tokens=1)[0] == 200
    lines = [json.loads(line) for line in server.logged().splitlines()]
    *noted, _ = [line for line in lines if line["event"] == "ignored fields"]
    assert [line["fields"] for line in noted] == [["reasoning_effort"]]


def test_metrics_have_the_names_of_the_conventions(server: ByteServer) -> None:
    chat(server, max_tokens=4)
    _, raw = server.get("/metrics")
    text = raw.decode()
    labels = 'gen_ai_provider_name="edgewright",gen_ai_request_model="letters"'
    assert (
        f'gen_ai_server_time_to_first_token_seconds_count{{model="letters",version="1",{labels}'
        in text
    )
    assert "gen_ai_server_time_per_output_token_seconds_bucket" in text
    assert 'gen_ai_token_type="output",le="+Inf"' in text
    assert "edgewright_generation_answer_tokens_total" in text


def test_the_status_counts_tokens(server: ByteServer) -> None:
    before = server.get("/edgewright/status")[1]["language"]["answer_tokens"]
    chat(server, max_tokens=5)
    after = server.get("/edgewright/status")[1]["language"]
    assert after["answer_tokens"] == before + 5
    assert after["active"] == 0


class TestClients:
    """Clients that leave, read slowly, or come in a crowd."""

    @pytest.fixture
    def slow(self, tmp_path: Path) -> Iterator[ByteServer]:
        """A server of one slot whose runs take 20 ms."""
        model = write_model(tmp_path / "slow.gguf", seconds=0.02, slots=1, context=100_000)
        with ByteServer(f"--model={model}", "--queue=2", log=tmp_path / "log") as one:
            yield one

    @pytest.mark.parametrize("stream", [True, False])
    def test_a_client_that_leaves_ends_its_answer(self, slow: ByteServer, stream: bool) -> None:
        connection = slow.connect()
        body = {"prompt": "for ever", "max_tokens": 90_000, "stream": stream}
        connection.request("POST", COMPLETIONS, json.dumps(body))
        wait_until(lambda: _language(slow)["active"] == 1, "it is answered")
        connection.close()
        wait_until(lambda: _language(slow)["ends"]["cancelled"] == 1, "it is counted", 90.0)
        wait_until(lambda: _language(slow)["active"] == 0, "the slot is free")

    def test_a_full_queue_is_told_in_a_sentence(self, slow: ByteServer) -> None:
        connections = []
        for number in range(3):
            connection = slow.connect()
            body = {"prompt": f"number {number}", "max_tokens": 90_000}
            connection.request("POST", COMPLETIONS, json.dumps(body))
            connections.append(connection)
            wait_until(lambda wanted=number: _taken(slow) == wanted + 1, "it has come")  # type: ignore[misc]
        status, answer = slow.call("POST", COMPLETIONS, {"prompt": "one more"})
        assert status == 503
        assert answer["error"]["message"] == "Too many requests are waiting. Retry later."
        for connection in connections:
            connection.close()

    def test_a_stream_ends_well_when_the_server_does(self, slow: ByteServer) -> None:
        connection = slow.connect()
        body = {"prompt": "once", "max_tokens": 60, "stream": True, "temperature": 0}
        connection.request("POST", COMPLETIONS, json.dumps(body))
        response = connection.getresponse()
        response.readline()
        slow.process.terminate()
        rest = response.read().decode()
        assert rest.endswith("data: [DONE]\n\n")
        assert slow.stop() == 0

    def test_ten_thousand_tokens_a_client_never_reads_are_not_kept(self, slow: ByteServer) -> None:
        with socket.create_connection((slow.host, slow.port), timeout=20) as link:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            body = json.dumps({"prompt": "x", "max_tokens": 200, "stream": True}).encode()
            head = _head(len(body))
            link.sendall(head.encode() + body)
            wait_until(lambda: _language(slow)["ends"]["length"] == 1, "it ends all the same")


def _language(server: ByteServer) -> dict[str, Any]:
    found: dict[str, Any] = server.get("/edgewright/status")[1]["language"]
    return found


def _taken(server: ByteServer) -> int:
    language = _language(server)
    return int(language["active"]) + int(language["waiting"])


def _head(length: int) -> str:
    lines = (f"POST {COMPLETIONS} HTTP/1.1", "Host: localhost", f"Content-Length: {length}")
    return "\r\n".join((*lines, "", ""))
