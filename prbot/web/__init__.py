"""The doors: webhooks in, health out."""
