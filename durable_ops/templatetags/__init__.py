"""Tags that the surrounding project may load."""
