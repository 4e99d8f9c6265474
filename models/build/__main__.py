"""Builds a speech model: `python -m models.build --help`."""

from models.build.pipeline import main

if __name__ == "__main__":
    main()
