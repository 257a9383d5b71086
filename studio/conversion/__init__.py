"""Conversion of models of other frameworks, each compared with its original."""
