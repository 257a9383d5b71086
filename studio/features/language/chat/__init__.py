"""Chats with language models: of the registry, and of targets."""
