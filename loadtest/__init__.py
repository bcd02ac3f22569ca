"""Load and judgement: the provider sandbox, the replay, the bench. Not needed to send."""
