"""The command line. It starts the other packages as processes and never imports them."""
