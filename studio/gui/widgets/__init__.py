"""Widgets that any page may use, without knowledge of the product."""
