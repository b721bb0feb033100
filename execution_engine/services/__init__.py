"""Commands from outside, each one transaction on Django's default database; a caller's own transaction is joined."""
