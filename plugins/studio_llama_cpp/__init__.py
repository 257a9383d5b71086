"""llama.cpp for language models in GGUF files, in an environment of its own."""
