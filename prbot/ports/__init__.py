"""What prbot asks of the world, each port narrow enough to be met by another adapter.

Adapters live in `prbot/adapters/`, one behaviour suite per port in `tests/contract/`.
Every method may raise the `PrbotError`s named in its docstring and nothing else that a
caller should handle. `docs/forge-port.md` names the wire call behind each forge method.
"""
