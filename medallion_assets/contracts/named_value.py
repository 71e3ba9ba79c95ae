"""What a contract leaves to the machine that it runs on: `$NAME` stands for an environment variable."""

import os


def named_value(text: str) -> str:
    """The text itself, or of `$NAME` what the variable holds; empty where it is not set."""
    return os.environ.get(text[1:], "").strip() if text.startswith("$") else text
