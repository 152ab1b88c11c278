"""
Specifications of objectives: the library's own format, and those of others, in and out.

    tree, text, yaml_tree, json_tree, toml_tree   characters to trees that know their lines
    fields, models, native                        trees to objectives, with every mistake at once
    load, dump, export                            the doors in and out
    cursor, openslo, sloth, pyrra, slo_generator,
    slo_kit                                       the formats of others, with an account of losses
    to_openslo, to_sloth, to_pyrra                and back
"""

from errorbudget.specs.dump import dump
from errorbudget.specs.export import TARGETS, AsQuery, Export, export
from errorbudget.specs.guide import guide, guide_text
from errorbudget.specs.load import FORMATS, load, load_path
from errorbudget.specs.schema import json_schema
from errorbudget.specs.spec import Loss, Spec
from errorbudget.specs.tree import LIMITS, Limits, Place, Problem

__all__ = [
    "FORMATS",
    "LIMITS",
    "TARGETS",
    "AsQuery",
    "Export",
    "Limits",
    "Loss",
    "Place",
    "Problem",
    "Spec",
    "dump",
    "export",
    "guide",
    "guide_text",
    "json_schema",
    "load",
    "load_path",
]
