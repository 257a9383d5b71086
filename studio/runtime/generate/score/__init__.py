"""Figures of a language model: likelihood of texts and choices, answers, distance to another."""
