"""What a load run comes to: sampled on the way, judged by gates, told on one page."""
