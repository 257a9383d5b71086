"""The Responsible AI page: the evidence of all models in one table."""
