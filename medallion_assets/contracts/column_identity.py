"""When two names are one column: case aside, letter by letter, as Spark and Delta compare them."""

from collections.abc import Collection


def column_key(name: str) -> str:
    """Equal for two names that Spark, or Delta, takes for one column.

    Both compare letters in Java's way, in which a dotted or dotless i, a Kelvin sign or a long s are the plain letters
    in another case. Python's `lower` and `casefold` decide otherwise.
    """
    # Spark compares each letter's small form of its capital; Delta the small form of the name, in which a dot is apart.
    letters = [letter.upper() if len(letter.upper()) == 1 else letter for letter in name]
    return "".join(letter.lower()[0] for letter in letters).replace("i\u0307", "i")


def holder_of(source: str, keys: Collection[str]) -> str | None:
    """The key of the column that a source is, or, as `payload.after.id`, is a field of; None where none of them is."""
    candidates = (column_key(source), column_key(source.split(".", maxsplit=1)[0]))
    return next((key for key in candidates if key in keys), None)
