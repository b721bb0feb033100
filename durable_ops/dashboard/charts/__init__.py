"""Plain values in, Plotly figures out; no queries, no colours (the browser takes those from the tokens)."""
