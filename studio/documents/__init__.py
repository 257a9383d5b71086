"""Texts that both sides read: TOML with the places of its keys, and pieces of HTML pages."""
