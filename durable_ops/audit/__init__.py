"""The audit log of the corridor."""
