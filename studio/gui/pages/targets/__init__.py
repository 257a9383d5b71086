"""The Targets page: known targets, their facts, discovery."""
