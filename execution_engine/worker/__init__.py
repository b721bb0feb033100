"""What a worker child does beside running handlers: claiming, renewing, taking over, draining."""
