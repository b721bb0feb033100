"""The REST door `/api/v1/`: reads through selectors, changes through `durable_ops.actions` only."""
