"""A module per resource. Each view names the right of each method in `rights`."""
