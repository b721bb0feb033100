"""The console: server-rendered pages, of which htmx asks for fragments. Changes go through `durable_ops.actions` only."""
