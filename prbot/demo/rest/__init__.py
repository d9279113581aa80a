"""GitHub's REST API, as much of it as prbot and its people need.

call.py holds the nouns (Call, Answer, Route), one module per subject holds the
handlers, table.py lists every route. Handlers know nothing of HTTP servers; api.py
beside this package carries requests to them and answers back.
"""
