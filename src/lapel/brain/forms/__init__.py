"""Orders read by a schema of forms and slots: any menu, as soon as it is described."""

from lapel.brain.forms.orders import Ordered, Said
from lapel.brain.forms.parse import Parser
from lapel.brain.forms.schema import Form, Schema, SchemaError, Slot, load_schema
from lapel.brain.forms.tree import Node, read

__all__ = [
    "Form",
    "Node",
    "Ordered",
    "Parser",
    "Said",
    "Schema",
    "SchemaError",
    "Slot",
    "load_schema",
    "read",
]
