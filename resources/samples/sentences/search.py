"""Search of a folder of texts by meaning, with the vectors of an embeddings endpoint.

    python search.py texts "How do I stop a machine safely?"
    python search.py texts --pairs pairs.jsonl
    python search.py texts --pairs pairs.jsonl --other http://127.0.0.1:8478/v1

Python and numpy are all that it needs. ``EDGEWRIGHT_TOKEN`` is the token of the server, if it
wants one.
"""

from __future__ import annotations

import argparse
import json
import os
import urllib.request
from pathlib import Path

import numpy

_TOGETHER = 32


class Endpoint:
    """An endpoint of OpenAI's interface that gives vectors.

    Attributes:
        url: Its address with ``/v1``.
        model: Name of the model; empty where there is only one.
    """

    def __init__(self, url: str, model: str = "") -> None:
        self.url, self.model = url.rstrip("/"), model

    def vectors(self, texts: list[str]) -> numpy.ndarray:
        """Return a vector of length 1 for each text, texts x width."""
        found = []
        for begin in range(0, len(texts), _TOGETHER):
            rows = self._call(texts[begin : begin + _TOGETHER])
            found += [one["embedding"] for one in sorted(rows, key=lambda one: one["index"])]
        array = numpy.array(found, numpy.float32)
        return array / numpy.linalg.norm(array, axis=1, keepdims=True)

    def _call(self, texts: list[str]) -> list[dict]:
        body = {"input": texts, "model": self.model}
        headers = {"Content-Type": "application/json"}
        token = os.environ.get("EDGEWRIGHT_TOKEN")
        if token:
            headers["Authorization"] = "Bearer " + token
        content = json.dumps(body).encode()
        request = urllib.request.Request(self.url + "/embeddings", content, headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["data"]


def paragraphs_of(folder: Path) -> dict[str, str]:
    """Return the paragraphs of all text files, by file and number: ``pumps.txt:1``."""
    found = {}
    for path in sorted(folder.glob("*.txt")):
        parts = path.read_text("utf-8").split("\n\n")
        texts = [" ".join(one.split()) for one in parts if one.strip()]
        found.update({f"{path.name}:{number}": one for number, one in enumerate(texts, 1)})
    return found


def ranks_of(scores: numpy.ndarray, right: list[int]) -> list[int]:
    """Return the rank of the right text of each question, from 1 on."""
    return [int((row >= row[at]).sum()) for row, at in zip(scores, right, strict=True)]


def report(endpoint: Endpoint, texts: dict[str, str], pairs: list[dict]) -> numpy.ndarray:
    """Print how well the questions find their texts; return the vectors of all of them."""
    names, questions = list(texts), [one["question"] for one in pairs]
    vectors = endpoint.vectors([*texts.values(), *questions])
    scores = vectors[len(names) :] @ vectors[: len(names)].T
    ranks = ranks_of(scores, [names.index(one["text"]) for one in pairs])
    first = sum(one == 1 for one in ranks)
    mean = sum(1 / one for one in ranks) / len(ranks)
    print(f"{endpoint.url}: {first} of {len(ranks)} first, mean reciprocal rank {mean:.4f}")
    for one, rank in zip(pairs, ranks, strict=True):
        if rank > 1:
            print(f"  rank {rank}: {one['question']}")
    return vectors


def search(endpoint: Endpoint, texts: dict[str, str], question: str, most: int) -> None:
    """Print the texts that are closest to a question."""
    vectors = endpoint.vectors([question, *texts.values()])
    scores = vectors[1:] @ vectors[0]
    names = list(texts)
    for at in numpy.argsort(-scores)[:most]:
        print(f"{scores[at]:.3f} {names[at]:14} {texts[names[at]]}")


def main() -> None:
    """Search, or judge with questions whose answers are known."""
    parser = argparse.ArgumentParser(description="Search a folder of texts by meaning.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("question", nargs="?")
    parser.add_argument("--pairs", type=Path, help="lines of JSON with question and text")
    parser.add_argument("--url", default="http://127.0.0.1:8477/v1")
    parser.add_argument("--model", default="", help="where the server has several")
    parser.add_argument("--other", help="address of a second endpoint to compare with")
    parser.add_argument("--other-model", default="")
    parser.add_argument("--most", type=int, default=3)
    given = parser.parse_args()
    texts, endpoint = paragraphs_of(given.folder), Endpoint(given.url, given.model)
    if given.question:
        search(endpoint, texts, given.question, given.most)
    if given.pairs is None:
        return
    pairs = [json.loads(one) for one in given.pairs.read_text("utf-8").splitlines() if one]
    vectors = report(endpoint, texts, pairs)
    if given.other:
        others = report(Endpoint(given.other, given.other_model), texts, pairs)
        alike = (vectors * others).sum(axis=1)
        print(f"cosine of both: mean {alike.mean():.4f}, least {alike.min():.4f}")


if __name__ == "__main__":
    main()
