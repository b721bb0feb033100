"""Alert rules: what is in trouble, and who is told."""
