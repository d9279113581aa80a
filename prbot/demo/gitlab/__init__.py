"""The demo forge's GitLab half: REST v4, webhooks and pages of merge requests.

The acts and records are those of the whole forge; here stands what GitLab makes of them on
the wire. Facts: https://docs.gitlab.com/api/rest/ and the pages below it.
"""
