"""Text that identifies a thing, in the one spelling that tables and joins compare."""

BLANKS = r"[\s\p{Z}\p{Cc}\u180e\u200b-\u200d\u2060\ufeff]"
"""Java pattern: what no reader sees at the end of a name: blanks of Unicode, controls, marks of zero width and BOMs."""
_PLAIN = r"\A[!-~]([ -~]*[!-~])?\z"


def normal_key(text: str) -> str:
    """SQL of a text without `BLANKS` at its ends and composed (Unicode's NFC); NULL where nothing is left.

    text: SQL of the text. ICU comes with Spark, which has no such function of its own; ASCII does not go through it.
    """
    trimmed = rf"regexp_replace({text}, r'\A{BLANKS}+|{BLANKS}+\z', '')"
    composed = f"reflect('com.ibm.icu.text.Normalizer', 'compose', {trimmed}, false)"
    return (
        f"CASE WHEN {text} RLIKE r'{_PLAIN}' THEN {text} "
        f"WHEN {text} IS NOT NULL THEN nullif({composed}, '') END"
    )
