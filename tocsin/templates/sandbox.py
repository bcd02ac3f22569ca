"""Jinja with the dangerous half taken out: nothing of Python is reachable, and all work is counted.

What a template may *say* is the business of grammar.py; this holds whatever it says.
"""

from typing import Any, Final

from jinja2 import StrictUndefined, nodes
from jinja2.runtime import Context, LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from tocsin.templates.filters import CONCAT, FILTERS, LOOPED, MEASURED, TESTS, said

_LOOP: Final = frozenset({"index", "index0", "revindex", "revindex0", "first", "last", "length"})
_MOST_NUMBER: Final = 1e15
"""Below it floats and integers are exact, and no product of two grows without end."""


class _Required(StrictUndefined):
    """Its error's text is the bare name of what is missing."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        return str(self._undefined_name or "a value")


class Sandbox(ImmutableSandboxedEnvironment):
    """An environment whose templates see data and nothing else.

    `order.items` is the data's own `items`, never a method; numbers can be reckoned with and texts
    cannot; a loop, a joined text and a compared one pay for what they cost (work.py).
    """

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%"})

    def __init__(self, *, escape: bool) -> None:
        super().__init__(
            undefined=_Required,
            autoescape=escape,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=said,
        )
        self.globals.clear()
        self.filters, self.tests = dict(FILTERS), dict(TESTS)

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        # every way of compiling goes through here
        return super()._generate(_Guards().visit(source), *args, **kwargs)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """The data's own member of this name."""
        if isinstance(obj, LoopContext) and attribute in _LOOP:
            return getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """An object's member or a list's element; anything else is missing."""
        if isinstance(obj, Undefined):
            str(obj)  # raises, naming what is missing and not its member
        try:
            if isinstance(obj, dict) or (
                isinstance(obj, (list, tuple)) and isinstance(argument, int)
            ):
                return obj[argument]
        except (LookupError, TypeError):
            pass
        return self.undefined(obj=obj, name=str(argument))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic with numbers of a sane size."""
        for operand in (left, right):
            if isinstance(operand, Undefined):
                str(operand)
            if not isinstance(operand, (int, float)):
                raise TypeError("only numbers can be reckoned with; ~ joins texts")
            if not -_MOST_NUMBER <= operand <= _MOST_NUMBER:
                raise ValueError("a number too large to be reckoned with")
        return self.binop_table[operator](left, right)


class _Guards(NodeTransformer):
    """Puts the counting filters where a template loops, joins and compares."""

    def visit_For(self, node: nodes.For) -> nodes.For:
        cost = sum(1 for _ in node.find_all(nodes.Node))
        self.generic_visit(node)
        assert isinstance(node.iter, nodes.Expr)
        node.iter = _filtered(node.iter, LOOPED, nodes.Const(cost))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), CONCAT)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Compare:
        self.generic_visit(node)
        operands = [node.expr, *(operand.expr for operand in node.ops)]
        within = any(operand.op in ("in", "notin") for operand in node.ops)
        if within or not any(isinstance(each, nodes.Const) for each in operands):
            node.expr = _measured(node.expr)
            for operand in node.ops:
                operand.expr = _measured(operand.expr)
        return node


def _measured(node: nodes.Expr) -> nodes.Expr:
    plain = (nodes.Const, nodes.List, nodes.Tuple)
    return node if isinstance(node, plain) else _filtered(node, MEASURED)


def _filtered(node: nodes.Expr, name: str, *args: nodes.Expr) -> nodes.Filter:
    made = nodes.Filter(node, name, list(args), [], None, None, lineno=node.lineno)
    made.environment = node.environment
    return made


TEXT: Final = Sandbox(escape=False)
HTML: Final = Sandbox(escape=True)
