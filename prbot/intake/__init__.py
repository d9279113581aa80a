"""Chapter 1: something happened. Webhooks become events, comments become commands."""
