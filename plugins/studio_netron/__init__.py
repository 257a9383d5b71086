"""Netron as a plugin: models in other formats, without a network and one file at a time."""
