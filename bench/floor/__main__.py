"""The floor's program: the resources that its configuration lists, bare, after the same imports."""

import pulumi

from bench.program import bare, load

types = [(type_, custom) for type_, custom in pulumi.Config().require_object("types")]
load(types)
bare(types)
