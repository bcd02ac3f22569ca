"""How operators see Tocsin: metrics over HTTP, where Prometheus finds them, rules, a dashboard."""
