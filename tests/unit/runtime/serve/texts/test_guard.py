"""Guard rules over real HTTP: every door, streams, split tokens, large and odd prompts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from studio.runtime.serve.engine.source import from_bundle
from studio.runtime.shared.errors import LoadError
from tests.unit.runtime.serve.rig import wait_until
from tests.unit.runtime.serve.texts.byte_server import ByteServer, write_model

GENERATE = "/v2/models/guarded/generate"
CHAT, COMPLETIONS, INFER = "/v1/chat/completions", "/v1/completions", "/v2/models/guarded/infer"
ANSWER = "All is fine until the secret plan, which is the end."
SAFE = "All is fine until the "
RULES = [
    {"name": "plans", "words": ["secret plan"]},
    {"name": "cards", "regex": r"\b\d{4}(?: \d{4}){3}\b", "on": "prompts", "message": "No cards."},
    {"name": "long", "characters": 5000, "on": "prompts"},
    {"name": "ends", "regex": "fine", "action": "count"},
]


def bundle_of(folder: Path, rules: object, **settings: object) -> Path:
    """Write a bundle of a language model with guard rules."""
    folder.mkdir(parents=True)
    write_model(folder / "model.gguf", **settings)
    content = json.dumps({"form": 1, "rules": rules}).encode()
    (folder / "guard.json").write_bytes(content)
    model = {"file": "model.gguf", "format": "gguf", "precision": "fp32", "backend": "llama-cpp"}
    facts = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    manifest = {"format": 1, "name": "guarded", "version": 1, "counter": 1, "model": model}
    manifest |= {"files": {"guard.json": facts}, "guard": "guard.json"}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ByteServer]:
    folder = tmp_path_factory.mktemp("guard")
    bundle = bundle_of(folder / "bundle", RULES, text=ANSWER, context=1 << 14)
    with ByteServer(f"--bundle={bundle}", log=folder / "log") as one:
        yield one


def completed(server: ByteServer, prompt: object = "write\n", **more: object) -> tuple[int, Any]:
    """Ask for a completion."""
    body = {"prompt": prompt, "max_tokens": 100, "temperature": 0, **more}
    return server.call("POST", COMPLETIONS, body)


def rule(server: ByteServer, name: str) -> Mapping[str, Any]:
    """Return the counts of a rule."""
    rules = server.get("/edgewright/status")[1]["language"]["guard"]
    return next(one for one in rules if one["name"] == name)


def test_an_answer_is_cut_before_its_match(server: ByteServer) -> None:
    before = rule(server, "plans")["answers"]
    status, answer = completed(server)
    assert status == 200
    assert answer["choices"][0]["text"] == SAFE
    assert answer["choices"][0]["finish_reason"] == "content_filter"
    assert rule(server, "plans")["answers"] == before + 1


def test_a_stream_holds_back_what_may_become_a_match(server: ByteServer) -> None:
    status, raw = completed(server, stream=True)
    assert status == 200
    parts = [json.loads(part[6:]) for part in raw.decode().split("\n\n")[:-2]]
    assert "".join(part["choices"][0]["text"] for part in parts) == SAFE
    assert parts[-1]["choices"][0]["finish_reason"] == "content_filter"
    assert len(parts) > 10
    assert b"secret" not in raw


def test_a_chat_is_cut_too(server: ByteServer) -> None:
    # The template ends with a mark; the model of bytes writes after the newline before it.
    body = {"messages": [{"role": "user", "content": "hello"}], "temperature": 0}
    status, answer = server.call("POST", CHAT, {**body, "max_tokens": 200})
    assert status == 200
    assert "secret" not in answer["choices"][0]["message"]["content"]
    assert answer["choices"][0]["finish_reason"] == "content_filter"


def test_the_inference_protocol_withholds_the_answer(server: ByteServer) -> None:
    status, answer = server.call("POST", INFER, inference("write\n"))
    assert status == 400
    assert "withheld by the rule 'plans'" in answer["error"]


def test_the_generate_extension_marks_what_was_cut(server: ByteServer) -> None:
    body = {"text_input": "write\n", "parameters": {"max_tokens": 100}}
    status, answer = server.call("POST", GENERATE, body)
    assert status == 200
    assert (answer["text_output"], answer["finish_reason"]) == (SAFE, "content_filter")
    status, raw = server.call("POST", GENERATE + "_stream", body)
    assert status == 200
    parts = [json.loads(part[6:]) for part in raw.decode().split("\n\n")[:-1]]
    assert "".join(part["text_output"] for part in parts) == SAFE
    assert parts[-1]["finish_reason"] == "content_filter"


def inference(text: str) -> dict[str, object]:
    """Return a request of the Open Inference Protocol."""
    tensor = {"name": "text_input", "shape": [1], "datatype": "BYTES", "data": [text]}
    return {"inputs": [tensor]}


SPELLINGS = ("SECRET  plan", "sec\u200bret pl\u00adan", "ｓｅｃｒｅｔ plan", "secret\nplan?")


@pytest.mark.parametrize("text", SPELLINGS)
def test_a_prompt_is_refused_at_every_door(server: ByteServer, text: str) -> None:
    for path, body in (
        (COMPLETIONS, {"prompt": text}),
        (COMPLETIONS, {"prompt": list(text.encode())}),
        (CHAT, {"messages": [{"role": "user", "content": text}]}),
        (CHAT, {"messages": [{"role": "user", "content": [{"type": "text", "text": text}]}]}),
        (CHAT, {"messages": [{"role": "user", "content": "x"}], "tools": [{"function": text}]}),
        (
            CHAT,
            {
                "messages": [{"role": "user", "content": "x"}],
                "chat_template_kwargs": {"a": [{text: 1}]},
            },
        ),
    ):
        status, answer = server.call("POST", path, {**body, "max_tokens": 2})
        assert status == 400, (path, body)
        assert answer["error"]["code"] == "content_filter"
    for path, body in (
        (INFER, inference(text)),
        (GENERATE, {"text_input": text}),
        (GENERATE + "_stream", {"text_input": text}),
    ):
        status, answer = server.call("POST", path, body)
        assert status == 400, path
        assert "refused by the rule 'plans'" in answer["error"]


def test_a_rule_has_its_own_sentence(server: ByteServer) -> None:
    status, answer = completed(server, "my card 1234 5678 9012 3456")
    assert status == 400
    assert answer["error"]["message"] == "No cards."
    assert answer["error"]["type"] == "invalid_request_error"


def test_a_length_is_looked_at_first(server: ByteServer) -> None:
    before = rule(server, "plans")["prompts"]
    status, answer = completed(server, "secret plan " * 1000)
    assert status == 400
    assert "'long'" in answer["error"]["message"]
    assert rule(server, "plans")["prompts"] == before


@pytest.mark.parametrize("char", ["a", "1 ", "\u200b", "secret ", "\U0001f600", "\x00", "\u0301"])
def test_prompts_of_megabytes_are_refused(server: ByteServer, char: str) -> None:
    status, _ = completed(server, char * (7_000_000 // len(char.encode())))
    assert status in (400, 413)
    status, _ = server.call("POST", COMPLETIONS, b"x" * 10_000_000)
    assert status == 413


def test_lone_surrogates_are_answered(server: ByteServer) -> None:
    status, answer = server.call("POST", COMPLETIONS, b'{"prompt": "sec\\ud800ret plan"}')
    assert status == 400
    assert answer["error"]["code"] == "content_filter"


def test_probabilities_would_show_what_is_held(server: ByteServer) -> None:
    status, answer = completed(server, logprobs=2)
    assert status == 400
    assert answer["error"]["param"] == "logprobs"


def test_a_rule_that_counts_lets_through(server: ByteServer) -> None:
    before = rule(server, "ends")
    completed(server, "all fine\n")
    after = rule(server, "ends")
    assert after["prompts"] == before["prompts"] + 1
    assert after["answers"] == before["answers"] + 1


def test_slots_are_free_after_cut_answers(server: ByteServer) -> None:
    for _ in range(20):
        completed(server)
    wait_until(lambda: server.get("/edgewright/status")[1]["language"]["active"] == 0, "free")


def test_metrics_count_by_rule(server: ByteServer) -> None:
    completed(server)
    _, raw = server.get("/metrics")
    lines = [line for line in raw.decode().splitlines() if 'rule="plans"' in line]
    counts = {line.split(',on="')[1].split('"')[0]: float(line.split()[-1]) for line in lines}
    assert set(counts) == {"prompt", "answer"}
    assert counts["answer"] >= 1
    assert 'reason="content_filter"} ' in raw.decode()


def test_nothing_of_the_texts_is_logged(server: ByteServer) -> None:
    completed(server, "secret plan of mine")
    log = server.logged()
    assert "plan" not in log.replace("plans", "")


def test_a_form_guides_answers_that_have_none(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    rules = [{"name": "form", "on": "answers", "schema": schema}]
    bundle = bundle_of(tmp_path / "bundle", rules)
    with ByteServer(f"--bundle={bundle}", log=tmp_path / "log") as server:
        _, answer = completed(server)
        assert answer["choices"][0]["finish_reason"] in ("stop", "length")
        assert answer["choices"][0]["text"].startswith('{"a"')


@pytest.mark.parametrize(
    "content", [None, b"{", b'{"rules": []}', b'{"rules": [{"name": "a", "regex": "("}]}']
)
def test_a_bundle_whose_rules_cannot_be_used_is_not_served(
    tmp_path: Path, content: bytes | None
) -> None:
    bundle = bundle_of(tmp_path / "bundle", RULES)
    path = bundle / "guard.json"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(LoadError, match="guard rules of the bundle cannot be used"):
        from_bundle(bundle)
