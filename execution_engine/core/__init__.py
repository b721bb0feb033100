"""Plain values and pure rules of durable executions: no Django, no database, no clock of its own."""
