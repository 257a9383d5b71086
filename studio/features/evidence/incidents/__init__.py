"""Incidents of models, each with its entries, its clock and what served then."""
