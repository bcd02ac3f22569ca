"""A shop's sales file, replayed into a running Tocsin: `python -m loadtest.replay FILE`.

`sales` reads rows, `shop` turns them into events, `waves` groups events so that order holds where
it matters, `bodies` makes wire bodies of them: all pure. `calls`, `logins` and `drive` send.
"""
