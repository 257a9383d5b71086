"""The sample ``triage``: synthetic patients, and a logistic model of a known truth."""
