"""How much of everything a load needs, reckoned from what the bench measured."""
