"""Evaluate a formula: arithmetic on `x` alone. Its syntax tree is walked, never compiled or run."""

import ast
import operator
import warnings

import numpy as np

from stages.common.errors import InputError

FUNCTIONS = {
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "abs": np.abs,
    "tanh": np.tanh,
}
CONSTANTS = {"pi": np.pi, "e": np.e}
OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
}
MAX_LENGTH = 500
CHUNK = 65536  # points at once: a formula may nest so deeply that a hundred intermediate results are held
WHERE = "params.yaml: curve.formula"


def evaluate(formula: str, x: np.ndarray) -> np.ndarray:
    """Return the values of `formula` at x (n,), float64.

    Every number is a float64 before any arithmetic, so a tower of powers overflows to infinity at once.

    Raises `InputError` for anything but numbers, `x`, `pi`, `e`, + - * / ** and the functions in `FUNCTIONS`, and
    where the result is not finite.
    """
    if len(formula) > MAX_LENGTH:
        raise InputError(f"{WHERE} has {len(formula)} characters, at most {MAX_LENGTH} are read")
    x = np.asarray(x, dtype=np.float64)
    try:
        with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):  # the parser warns of odd texts
            tree = ast.parse(formula.strip(), mode="eval").body
            parts = np.split(x, range(CHUNK, len(x), CHUNK))
            y = np.concatenate([np.broadcast_to(_value(tree, part), part.shape) for part in parts])
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise InputError(f"{WHERE} = {formula[:60]!r} is not arithmetic on x, such as 0.5*x**3 - sin(x)") from None
    bad = ~np.isfinite(y)
    if bad.any():
        raise InputError(f"{WHERE} is not finite at x = {x[bad][0]:g}: change it, or curve.x_min and curve.x_max")
    return y


def _value(node: ast.expr, x: np.ndarray) -> np.ndarray | np.float64:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            try:
                return np.float64(number)
            except OverflowError:
                return np.float64(np.inf)
        case ast.Name(id="x"):
            return x
        case ast.Name(id=name) if name in CONSTANTS:
            return np.float64(CONSTANTS[name])
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            return OPERATORS[type(op)](_value(left, x), _value(right, x))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATORS:
            return OPERATORS[type(op)](_value(operand, x))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
            return FUNCTIONS[name](_value(argument, x))
        case ast.BinOp(op=ast.BitXor()):
            raise InputError(f"{WHERE} uses ^: write a power as x**2")
        case ast.Name(id=name) | ast.Call(func=ast.Name(id=name)):
            known = ", ".join(["x", *CONSTANTS, *FUNCTIONS])
            raise InputError(f"{WHERE} uses `{name}` in a way it cannot: known are {known}, functions of one argument")
    raise InputError(f"{WHERE} holds more than arithmetic on x ({type(node).__name__})")
