"""The only writer of the engine's tables: group commit for claimed executions, locked statements for everybody else."""
