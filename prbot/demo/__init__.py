"""A small forge that speaks GitHub, for `prbot demo` and for the tests.

`DemoForge` (forge.py) keeps users, repositories and pull requests in memory, each
repository backed by a real bare git directory. It answers GitHub's REST subset
(`rest/`), sends signed webhooks (hooks.py), serves git over HTTP (git_http.py) and
shows each pull request on a page (page.py). It enforces what a forge enforces, so that
a client which works here does not meet GitHub's rules for the first time in production.

It stands alone: nothing of prbot is imported but `errors`, so that it cannot share
prbot's mistakes. It is no place to keep anything: all but the git directories is gone
when it stops, and whoever reaches its page may act as any of its users.
"""
