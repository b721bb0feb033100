"""What the door reads (strict serializers) and writes (plain dictionaries made from the selectors' answers)."""
