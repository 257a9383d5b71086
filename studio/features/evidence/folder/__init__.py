"""Folders of evidence: the list of their files, its signature, and the check of both."""
