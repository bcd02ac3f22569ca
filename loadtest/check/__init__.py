"""The history checker: what clients were promised, held against what providers and books say."""
