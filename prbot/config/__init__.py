"""Chapter 0: what we were told. The operator's file and the repository's."""
