"""`python -m bench.chaos`: kill -9 at drawn moments, and what became of the pull requests.

Read in this order: `provider` (a real Terraform provider that keeps its own books),
`crew` (the processes of prbot), `books` (the database, read from beside it), `strike`
(who is killed, and when), `journey` (what people do, whatever happens), `verdict` (what is
counted), `trial` (one of them, from town to verdict), `series` (its number and
its seed), `__main__` (many, and the table).
"""
