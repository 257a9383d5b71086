"""llama.cpp as a backend of language models."""

from __future__ import annotations

from studio.api import TextToolchain


class LlamaCpp(TextToolchain):
    """The backend for GGUF files, on x86-64 only."""

    id = "llama-cpp"
    title = "llama.cpp"
    distribution = "llama-cpp-py-sync"
