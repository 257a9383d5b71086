"""Safetensors: weights in the layout of Hugging Face transformers."""
