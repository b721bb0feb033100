"""A module per kind of call. Each view names the right of each method in `rights`."""
