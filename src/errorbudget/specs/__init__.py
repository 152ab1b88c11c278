"""
Specifications of objectives: the library's own format, and those of others, in and out.

    tree, text, yaml_tree, json_tree, toml_tree   characters to trees that know their lines
    fields, models, native                        trees to objectives, with every mistake at once
    load, dump                                    the door in, and the door out
"""

from errorbudget.specs.dump import dump
from errorbudget.specs.guide import guide, guide_text
from errorbudget.specs.load import FORMATS, load
from errorbudget.specs.schema import json_schema
from errorbudget.specs.spec import Loss, Spec
from errorbudget.specs.tree import LIMITS, Limits, Place, Problem

__all__ = [
    "FORMATS",
    "LIMITS",
    "Limits",
    "Loss",
    "Place",
    "Problem",
    "Spec",
    "dump",
    "guide",
    "guide_text",
    "json_schema",
    "load",
]
