"""The hand: gathers, decides, performs, repeats."""
