"""`python -m audiojourney` is `aj`."""

from audiojourney.cli.app import main

if __name__ == "__main__":
    main()
