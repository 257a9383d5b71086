"""Which folders are built-in plugins: those of a checkout, or those of a wheel's list."""

from __future__ import annotations

from pathlib import Path

from studio.plugin_host.built_in import built_in_folders


def add(root: Path, *folders: str) -> None:
    for folder in folders:
        (root / folder).mkdir(parents=True)
        (root / folder / "plugin.toml").touch()


def test_a_checkout_has_the_plugins_of_its_folder(tmp_path: Path) -> None:
    add(tmp_path, "plugins/studio_b", "plugins/studio_a", "plugins/top_two", "studio_beside")
    (tmp_path / "plugins" / "studio_empty").mkdir()
    assert list(built_in_folders(tmp_path)) == [
        (name, tmp_path / "plugins" / name) for name in ("studio_a", "studio_b")
    ]


def test_an_installed_studio_has_the_plugins_of_its_list(tmp_path: Path) -> None:
    add(tmp_path, "studio_a", "studio_stranger", "plugins/studio_stranger", "plugins/studio_gone")
    listed = tmp_path / "studio" / "plugin_host" / "built_in.txt"
    listed.parent.mkdir(parents=True)
    listed.write_text("studio_a\nstudio_gone\n")
    assert list(built_in_folders(tmp_path)) == [("studio_a", tmp_path / "studio_a")]
