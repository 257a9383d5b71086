"""all-MiniLM-L6-v2 deployed: its vectors against transformers, and clients of OpenAI."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.e2e.conftest import Studio
from tests.rigs.language_clients import Clients, client_python
from tests.rigs.sentence_encoder import minilm_folder, reference_vectors

pytestmark = [pytest.mark.rig, pytest.mark.needs("curl")]

MODEL = "minilm"
CLOSEST = 1 - 1e-5
TEXTS = (
    "A man is eating food.",
    "Ein Mann isst Nudeln mit Käse – für 3,50 €!",
    "東京は日本の首都です。",
    "naïve café, Ångström, ﬁne, ΣΊΣΥΦΟΣ, İstanbul",
    "e-mail: a@b.co #tag 100% [MASK] \t tab\nline 👍🏽",
    "Supercalifragilisticexpialidocious " * 3,
    "x" * 300,
    "The pump vibrates more than yesterday. " * 20,
    "I",
)
VECTORS = """
import json, openai, os
client = openai.OpenAI()
texts = json.loads(TEXTS)
found = client.embeddings.create(model=os.environ["MODEL"], input=texts)
plain = client.embeddings.create(
    model=os.environ["MODEL"], input=texts, encoding_format="float")
one = client.embeddings.create(model=os.environ["MODEL"], input=texts[0])
try:
    client.embeddings.create(model=os.environ["MODEL"], input="a " * 5000)
except openai.BadRequestError as error:
    refused = error.code
print(json.dumps({"vectors": [row.embedding for row in found.data],
    "plain": [row.embedding for row in plain.data], "one": one.data[0].embedding,
    "tokens": found.usage.total_tokens, "refused": refused,
    "models": [model.id for model in client.models.list()]}))
""".replace("TEXTS)", repr(json.dumps(TEXTS)) + ")")
LANGCHAIN = """
import json, os
from langchain_openai import OpenAIEmbeddings
model = OpenAIEmbeddings(model=os.environ["MODEL"], check_embedding_ctx_length=False)
print(json.dumps([model.embed_query(TEXT), *model.embed_documents([TEXT, "another"])]))
""".replace("TEXT", repr(TEXTS[0]))


@pytest.fixture(scope="module")
def clients(studio: Studio, rigs: Path) -> Iterator[Clients]:
    model = minilm_folder(rigs) / "model.onnx"
    found = studio.ok("deploy", model, "--target", "local", "--soak-s", "0", timeout=600)
    yield Clients(client_python(rigs), found["endpoint"], found.get("token") or "", MODEL)
    studio.run("undeploy", "--target", "local")


def test_vectors_are_those_of_transformers(clients: Clients, rigs: Path) -> None:
    found: Any = clients.run(VECTORS)
    given = np.array(found["vectors"])
    wanted = reference_vectors(rigs, TEXTS)
    cosines = (given * wanted).sum(1) / np.linalg.norm(given, axis=1)
    print(f"smallest cosine {cosines.min():.9f}")
    assert cosines.min() > CLOSEST
    np.testing.assert_allclose(np.linalg.norm(given, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(found["plain"], given, atol=1e-7)
    np.testing.assert_allclose(found["one"], given[0], atol=1e-5)
    assert found["tokens"] > len(TEXTS)
    assert found["refused"] == "context_length_exceeded"
    assert found["models"] == [MODEL]


def test_langchain(clients: Clients, rigs: Path) -> None:
    found: Any = clients.run(LANGCHAIN)
    wanted = reference_vectors(rigs, TEXTS)[0]
    np.testing.assert_allclose(found[0], wanted, atol=1e-4)
    np.testing.assert_allclose(found[1], wanted, atol=1e-4)


def test_curl(clients: Clients) -> None:
    body = {"input": "A man is eating food.", "model": MODEL}
    command = ["curl", "-s", f"{clients.url}/v1/embeddings", "-d", json.dumps(body)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert len(json.loads(done.stdout)["data"][0]["embedding"]) == 384
