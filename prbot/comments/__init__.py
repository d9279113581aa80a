"""Chapter 6: tell them. Messages become Markdown that cannot break out."""
