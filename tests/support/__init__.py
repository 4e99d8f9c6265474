"""What the tests share: a counter written down, recordings, servers and microphones."""
