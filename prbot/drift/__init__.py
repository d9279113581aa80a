"""5. Is it still true: what others changed, what to do about it, when to look, whom to tell."""
