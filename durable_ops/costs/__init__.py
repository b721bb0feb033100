"""What executions cost: dated prices, bills, the ledger that books ended executions, reports, the what-if calculator."""
