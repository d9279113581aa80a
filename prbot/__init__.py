"""prbot: a Terraform and OpenTofu pull-request bot.

The story reads one way, and so do the folders:

    config      0. what we were told        the operator's file, the repository's file
    intake      1. something happened       a webhook becomes an event, a comment a command
    projects    2. what does it touch       changed files become projects
    plans       3. what would change        the tool's plan JSON, read, hashed, summarised
    runs        4. what shall we do         one decision function, one transition table
    comments    6. tell them                messages become Markdown
    engine      the hand                    gathers, decides, performs, repeats
    adapters    the world                   forges, git, Terraform, the database
    web         the doors                   webhooks in, health out
    demo        a small forge               to try it all on one machine, and to test it
"""

__version__ = "0.1.0"
