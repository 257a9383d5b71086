"""Backends that load language models, one module each, imported when they are needed."""
