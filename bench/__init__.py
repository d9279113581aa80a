"""Benchmarks: each prints a ratio against a yardstick measured in the same run.

None of them asserts a time: a slow machine is no bug. `docs/benchmarks.md` says how to
read what they print.
"""
