"""Chapter 4: what shall we do? Runs, locks, requirements, and the one decision function."""
