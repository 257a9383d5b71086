"""Backends of language models: what plugins declare, and what the runtime has."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.api import Capability, Extension, TextToolchain, Unavailable
from studio.plugin_host import PluginHost
from studio.plugin_host.check.conformance import check_capabilities
from studio.plugin_host.manifest import read_manifest
from studio.plugin_host.plugin_import import forget
from studio.runtime.generate.catalog import TEXT_BACKENDS

NAME = "example_text"
MANIFEST = """
id = "example_text"
name = "Example"
version = "0.1"
api = 2

[environment]
requirements = "requirements.lock"

[[text_backends]]
id = "{id}"
formats = {formats}
environment = true
factory = "example_text:Example"
"""
CODE = """
from studio.api import TextToolchain

class Example(TextToolchain):
    id = "{id}"
    title = "Example"
    distribution = "{distribution}"
"""


@pytest.fixture
def offered() -> list[Capability]:
    return list(PluginHost.discover().all(Extension.TEXT_BACKEND))


def test_each_backend_of_the_runtime_has_a_plugin(offered: list[Capability]) -> None:
    assert sorted(one.id for one in offered) == sorted(TEXT_BACKENDS)


@pytest.mark.parametrize("name", sorted(TEXT_BACKENDS))
def test_a_plugin_names_the_distribution_of_the_runtime(name: str) -> None:
    made = PluginHost.discover().get(Extension.TEXT_BACKEND, name)
    assert isinstance(made, TextToolchain)
    assert made.distribution == TEXT_BACKENDS[name].distribution


def test_a_missing_environment_is_a_sentence() -> None:
    made = PluginHost.discover().get(Extension.TEXT_BACKEND, "llama-cpp")
    with pytest.raises(Unavailable, match=r"^llama\.cpp is not installed yet\.$"):
        made.version()
    with pytest.raises(Unavailable, match=r"^llama\.cpp is not installed yet\.$"):
        print(made.python)


def test_an_unknown_backend_is_a_sentence() -> None:
    with pytest.raises(Unavailable, match=r"^Unknown text backend 'nothing'\.$"):
        PluginHost.discover().find(Extension.TEXT_BACKEND, "nothing")


@pytest.mark.parametrize(
    ("name", "distribution", "formats", "words"),
    [
        ("example", "example", '["gguf"]', "its id is not one of llama-cpp, "),
        ("llama-cpp", "example", '["gguf"]', "distribution is 'example', not 'llama-cpp-py-sync'"),
        ("llama-cpp", "llama-cpp-py-sync", "[]", "the manifest names no formats"),
        ("llama-cpp", "llama-cpp-py-sync", '["gguf"]', "is not installed, so it was not run"),
    ],
)
def test_the_check_for_authors(
    tmp_path: Path, name: str, distribution: str, formats: str, words: str
) -> None:
    package, scratch = tmp_path / NAME, tmp_path / "scratch"
    package.mkdir()
    scratch.mkdir()
    (package / "plugin.toml").write_text(MANIFEST.format(id=name, formats=formats))
    (package / "__init__.py").write_text(CODE.format(id=name, distribution=distribution))
    try:
        manifest = read_manifest(package / "plugin.toml")
        found = [one.text for one in check_capabilities(package, manifest, scratch)]
    finally:
        forget(NAME)
    assert len(found) == 1
    assert words in found[0]


def test_an_environment_is_named_after_its_backend() -> None:
    host = PluginHost.discover()
    plugin = next(one for one in host.plugins if one.id == "studio_llama_cpp")
    environment = host.environment(plugin)
    assert environment is not None
    assert environment.name == "llama-cpp"
