"""Which class and method of the JVM a name of PySpark means, asked once.

py4j asks for both before each call of a function: near half of all that Python and the JVM say to each other, and for a
short name of a class each time a search in all jars.
"""

from typing import Any

from py4j.java_gateway import JavaClass, JavaMember, JVMView

_CLASSES = {
    "functions": "org.apache.spark.sql.functions",
    "org.apache.spark.sql.functions": "org.apache.spark.sql.functions",
    "PythonUtils": "org.apache.spark.api.python.PythonUtils",
}
"""As PySpark names them -> in full."""


class _Class(JavaClass):
    """A class of static methods, each looked up once."""

    def __getattr__(self, name: str) -> Any:
        found = super().__getattr__(name)
        if isinstance(found, JavaMember):
            setattr(self, name, found)
        return found


def remember_lookups(view: JVMView) -> None:
    """For all that is called by this view of the JVM."""
    for name, full in _CLASSES.items():
        if name not in vars(view):
            setattr(view, name, _Class(full, view._gateway_client))
