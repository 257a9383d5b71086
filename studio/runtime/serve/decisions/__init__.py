"""The record of a server's answers, written by a thread of its own."""
