"""Counter Listener tells whether the courtesy owed at a service counter was said."""

__version__ = "0.1.0"
