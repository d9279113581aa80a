"""Chapter 3: what would change? The tool's plan JSON, read, hashed, compared and summarised."""
