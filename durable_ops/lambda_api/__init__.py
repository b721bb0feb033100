"""AWS Lambda's calls for durable functions at AWS's own paths, for unmodified AWS SDKs. Changes go through `durable_ops.actions`."""
