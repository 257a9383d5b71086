"""Chats with language models: of the registry, and behind endpoints."""
