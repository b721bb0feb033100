"""The parts of `ai-analyst`: a model that decides, and three tools that do."""
