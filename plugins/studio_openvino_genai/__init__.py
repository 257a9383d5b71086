"""OpenVINO with its tokenizers for language models, in an environment of its own."""
