"""`python -m prbot`: the `prbot` command, for machines where it is not on PATH."""

from prbot.cli import main

main()
