"""OpenAI's interface for language models: chat, completions, models."""
