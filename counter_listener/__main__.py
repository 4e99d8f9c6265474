"""`counter-listener` and `python -m counter_listener`."""

from counter_listener.cli import main

if __name__ == "__main__":
    main()
