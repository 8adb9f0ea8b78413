"""Arithmetic. An expression is read as a tree of a few kinds of node, and nothing of it is ever evaluated by Python."""

import ast
import math
import operator
from collections.abc import Callable
from typing import Annotated

from .base import ToolError

type Number = int | float

LONGEST = 1_000  # characters of an expression
MOST_BITS = 4_096  # of a whole number: about 1,200 digits
MOST_DIGITS = 300  # that a number can be rounded to
DEEPEST = 100  # operations in each other

OPERATORS: dict[type[ast.AST], Callable[..., Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
FUNCTIONS: dict[str, Callable[..., Number]] = {
    **{name: getattr(math, name) for name in ("sqrt", "exp", "log", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan")},
    **{name: getattr(math, name) for name in ("floor", "ceil", "radians", "degrees", "hypot")},
    "abs": abs,
    "round": lambda number, digits=None: round(number, digits and max(-MOST_DIGITS, min(digits, MOST_DIGITS))),
    "min": min,
    "max": max,
}
CONSTANTS = {"pi": math.pi, "e": math.e, "tau": math.tau}


def calculator(expression: Annotated[str, 'Such as "(3 + 4) * 2 ** 10", "sqrt(2)", "round(100 / 7, 2)".']) -> str:
    """Calculate, whole numbers exactly.

    It takes + - * / // % **, brackets, pi, e, tau, and these functions: sqrt exp log log2 log10 sin cos tan asin acos atan floor ceil
    radians degrees hypot abs round min max.
    """
    if len(expression) > LONGEST:
        raise ToolError(f"The expression is longer than {LONGEST} characters.")
    try:
        return str(value_of(ast.parse(expression.strip(), mode="eval").body))
    except ZeroDivisionError:
        raise ToolError("This divides by zero.") from None
    except (SyntaxError, RecursionError, MemoryError):
        raise ToolError("This is not an expression.") from None
    except (ValueError, TypeError, OverflowError) as error:
        raise ToolError(f"This has no result: {error}.") from None


def value_of(node: ast.AST, depth: int = 0) -> Number:
    """Return the value of a node; raises ToolError for what is no arithmetic, or too large."""
    if depth > DEEPEST:
        raise ToolError("The expression is too deep.")
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            return checked(value)
        case ast.Name(id=name) if name in CONSTANTS:
            return CONSTANTS[name]
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return power(value_of(left, depth + 1), value_of(right, depth + 1))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            return checked(OPERATORS[type(op)](value_of(left, depth + 1), value_of(right, depth + 1)))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATORS:
            return OPERATORS[type(op)](value_of(operand, depth + 1))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            return checked(FUNCTIONS[name](*(value_of(argument, depth + 1) for argument in args)))
    raise ToolError("Only numbers, brackets, operators and the functions named in the description can be used.")


def power(base: Number, exponent: Number) -> Number:
    """Raise to a power, if the result is not too large to begin with."""
    if isinstance(base, int) and isinstance(exponent, int) and abs(base) > 1 and base.bit_length() * abs(exponent) > MOST_BITS:
        raise ToolError("The result is too large.")
    return checked(base**exponent)


def checked(value: Number) -> Number:
    if isinstance(value, complex):
        raise ToolError("The result is no real number.")
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        raise ToolError("The result is too large.")
    return value
