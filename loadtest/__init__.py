"""Load and judgement: the provider sandbox, the replay, the bench. Nothing here is needed to send."""
