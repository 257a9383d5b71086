"""Templates of real models, rendered as transformers renders them, byte by byte.

They are in the source archive of llama-cpp-python, which is fetched; nothing of it is kept in
the repository.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from studio.runtime.generate.template import ChatTemplate, TemplateError
from tests.benchmarks.zoo.wheels import Wheel
from tests.e2e.conftest import Studio
from tests.rigs.chat_templates import (
    CONVERSATIONS,
    NOW,
    VARIABLES,
    Conversation,
    rendered_by_jinja,
)
from tests.rigs.language import gguf_file

ARCHIVE = Wheel(
    "llama-cpp-python",
    "0.3.36",
    "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e",
)
FOLDER = "/vendor/llama.cpp/models/templates/"
DIFFERENT = {
    "llama-cpp-deepseek-r1.jinja": "map() | tojson: a generator in Jinja, an error there",
    "meetkai-functionary-medium-v3.1.jinja": "safe + text: Jinja escapes the text for HTML",
}
"""Templates that do not render alike, with the reason; only with tools."""


@pytest.fixture(scope="module")
def templates(rigs: Path, studio: Studio) -> dict[str, str]:
    """The templates of the archive, and that of SmolLM2."""
    found = studio.run("inspect", "--json", gguf_file(rigs)).json
    kept = {path.name: path.read_text() for path in _unpacked(rigs).iterdir()}
    return {"SmolLM2": found["language"]["chat_template"], **kept}


def _unpacked(rigs: Path) -> Path:
    """Return the folder of the templates; the archive is fetched when it is not there yet."""
    folder = rigs / "language" / "chat-templates"
    if folder.is_dir():
        return folder
    fresh = folder.with_suffix(".part")
    fresh.mkdir(parents=True, exist_ok=True)
    with tarfile.open(ARCHIVE.path()) as archive:
        for member in archive:
            if FOLDER in member.name and member.name.endswith(".jinja"):
                stream = archive.extractfile(member)
                assert stream is not None
                (fresh / Path(member.name).name).write_bytes(stream.read())
    return fresh.replace(folder)


def _outcome(render: Callable[[], str]) -> str | None:
    """The text; ``None`` where the template refuses or fails."""
    try:
        return render()
    except Exception:  # whatever Jinja raises on a template's behalf
        return None


def _pairs(source: str, talk: Conversation) -> list[tuple[str | None, str | None]]:
    """The texts of Jinja and of the studio, with and without the beginning of an answer."""
    template = ChatTemplate(source, clock=lambda: NOW)
    return [
        (
            _outcome(lambda prompt=prompt: rendered_by_jinja(source, talk, prompt)),  # type: ignore[misc]
            _outcome(lambda prompt=prompt: template.render(*talk, prompt, VARIABLES)),  # type: ignore[misc]
        )
        for prompt in (True, False)
    ]


def test_they_render_as_by_transformers(templates: dict[str, str]) -> None:
    texts, differ = 0, set()
    for name, source in templates.items():
        for talk in CONVERSATIONS.values():
            pairs = _pairs(source, talk)
            texts += sum(wanted is not None for wanted, _ in pairs)
            if any(wanted != found for wanted, found in pairs):
                differ.add((name, talk.tools is None))
    assert len(templates) == 71
    assert texts > 1500
    assert differ == {(name, False) for name in DIFFERENT}


def test_damage_anywhere_ends_in_a_text_or_a_sentence(templates: dict[str, str]) -> None:
    talk = CONVERSATIONS["turns"]
    ended, sentences = 0, []
    for source in templates.values():
        for start in range(0, len(source), max(1, len(source) // 8)):
            for cut in (source[:start] + source[start + 5 :], source[:start], source[start:]):
                ended += 1
                try:
                    ChatTemplate(cut).render(*talk, True, VARIABLES)
                except TemplateError as error:
                    sentences.append(str(error))
    assert ended > 1700
    assert all(sentence.isprintable() for sentence in sentences)
