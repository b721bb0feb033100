"""The console: pages made on the server, of which htmx fetches fragments. Changes go through `durable_ops.actions` only."""
