"""How much later than the letter of a promise is still within it, and why so much."""

import msgspec


class Tolerances(msgspec.Struct, frozen=True):
    """All in seconds. Each is the longest that Tocsin may rightly need, not what it usually does.

    `order`: Tocsin promises no order between two messages of one person (actors/README.md): a
    partition's batches are in order, but up to four portions of a sender are worked off side by
    side, and a portion may take as long as its rate and its calls do: at most half the 60 s lease
    of its claims, or it would be in danger of being sent twice. What is further out of order than
    that was not merely overtaken.

    `late`: the expiry is looked at for the last time right before the provider is called, and a
    call may take 10 s.

    `grace`: after a person's word (an opt-out, quiet hours) was accepted, a portion that had read
    their profile before may still be on its way: again half a lease.

    `clocks`: how far the clocks of hosts may be apart.
    """

    order: float = 30.0
    late: float = 10.0
    grace: float = 30.0
    clocks: float = 1.0
