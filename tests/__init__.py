"""Everything that is checked; the directories mirror the tree."""
