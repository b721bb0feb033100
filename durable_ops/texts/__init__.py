"""Forms of text: JSON that can be kept, cells of spreadsheets, secrets at rest."""
