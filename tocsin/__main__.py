"""`python -m tocsin` is the `tocsin` command."""

from tocsin.cli.main import app

if __name__ == "__main__":
    app()
