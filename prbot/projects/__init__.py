"""Chapter 2: what does it touch? Changed files become projects."""
