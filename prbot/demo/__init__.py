"""A small forge that speaks GitHub's REST subset, signed webhooks and git over HTTP."""
