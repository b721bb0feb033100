"""Every change made by a person, key or command: permission, engine command and audit row in one transaction.

Lock order: rows of durable_ops first, then the execution, then its operations.
"""
