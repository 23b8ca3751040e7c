"""`python -m analyzer` is `analyzer`."""

from analyzer.cli import main

if __name__ == "__main__":
    main()
