"""`python -m biobert`: the command line, where its script is not on the path."""

from biobert.cli.main import run

if __name__ == "__main__":
    run()
