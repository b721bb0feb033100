"""Webhooks out: which events there are, how they are found, signed and sent."""
