"""The grammar of the expression language: text to a tree, nothing else.

A grammar of our own and not Python's: it has no attributes, no indexing, no loops and no names but those of the recipe, it reads the
same on every Python, and it knows the column of everything it refuses. Size is bounded before anything is computed.

::

    choice  := or ["if" or "else" choice]          or   := and {"or" and}          and := not {"and" not}
    not     := "not" not | compare                 compare := sum {("<" | "<=" | ">" | ">=" | "==" | "!=") sum}
    sum     := product {("+" | "-") product}       product := sign {("*" | "/") sign}
    sign    := ("+" | "-") sign | power            power := atom ["**" sign]
    atom    := number | 'text' | true | false | name | name "(" choice {"," choice} ")" | "(" choice ")"
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from mes.errors import UnreadableInput

LONGEST_SOURCE = 1000
MOST_PARTS = 300
DEEPEST = 40
LONGEST_LITERAL = 30
LARGEST_LITERAL_EXPONENT = 30


class ExpressionRefused(UnreadableInput):
    """An expression cannot be read, does not fit its names, or has no result. ``column`` counts from 1; None: no one place."""

    def __init__(self, code: str, sentence: str, column: int | None = None) -> None:
        super().__init__(code, sentence, detail={"column": column})
        self.column = column


@dataclass(frozen=True)
class Token:
    """A word of the source: ``kind`` is number, name, text, sign or end."""

    kind: str
    text: str
    column: int


@dataclass(frozen=True)
class Literal:
    """A number, a truth value or a text as written."""

    value: Decimal | bool | str
    column: int


@dataclass(frozen=True)
class Name:
    """A parameter."""

    id: str
    column: int


@dataclass(frozen=True)
class Unary:
    """``-x``, ``+x`` or ``not x``."""

    sign: str
    operand: Node
    column: int


@dataclass(frozen=True)
class Binary:
    """Arithmetic of two numbers; ``column`` is that of the sign."""

    sign: str
    left: Node
    right: Node
    column: int


@dataclass(frozen=True)
class Compare:
    """``a < b <= c``: every neighbouring pair holds."""

    signs: tuple[str, ...]
    operands: tuple[Node, ...]
    column: int


@dataclass(frozen=True)
class Logic:
    """``and`` or ``or`` of conditions."""

    word: str
    parts: tuple[Node, ...]
    column: int


@dataclass(frozen=True)
class Choice:
    """``then if condition else otherwise``."""

    condition: Node
    then: Node
    otherwise: Node
    column: int


@dataclass(frozen=True)
class Call:
    """A function of the fixed list."""

    function: str
    arguments: tuple[Node, ...]
    column: int


Node = Literal | Name | Unary | Binary | Compare | Logic | Choice | Call

_TOKEN = re.compile(
    r"(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<text>'[^'\n]{0,100}'|\"[^\"\n]{0,100}\")|(?P<sign>\*\*|<=|>=|==|!=|[-+*/<>(),])|(?P<blank>[ \t\r\n]+)"
)
_WORDS = frozenset({"and", "or", "not", "if", "else"})
_COMPARES = frozenset({"<", "<=", ">", ">=", "==", "!="})
_INSTEAD = {
    "=": "Write == to compare.",
    "^": "Write ** for a power.",
    "%": "Write / 100 for a percentage.",
    "≥": "Write >=.",
    "≤": "Write <=.",
    "≠": "Write !=.",
    "×": "Write *.",
    "·": "Write *.",
    "÷": "Write /.",
    "−": "Write the minus sign of the keyboard.",
    "&": "Write and.",
    "|": "Write or.",
    "!": "Write not.",
    ".": "Names have no parts here; a number begins with a digit, such as 0.5.",
}


def tokens(source: str) -> tuple[Token, ...]:
    """The words of an expression, ending in one of kind ``end``. Raises ``ExpressionRefused`` (``too_long``, ``unreadable``)."""
    if len(source) > LONGEST_SOURCE:
        raise ExpressionRefused("too_long", f"The expression has {len(source)} characters; {LONGEST_SOURCE} fit. Split it into two parameters.")
    found: list[Token] = []
    at = 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None:
            advice = _INSTEAD.get(source[at], "Use names, numbers, + - * / **, comparisons, and, or, not, if, else and the listed functions.")
            raise ExpressionRefused("unreadable", f"{source[at]!r} has no meaning here. {advice}", at + 1)
        kind = str(match.lastgroup)
        if kind != "blank":
            after = source[match.end() : match.end() + 1]
            if kind == "number" and (after.isalnum() or after in ("_", ".")):
                raise ExpressionRefused("unreadable", f"The number {match[0]!r} runs into {after!r}. Write * between them, or a blank.", at + 1)
            found.append(Token(kind, match[0], at + 1))
        at = match.end()
    return (*found, Token("end", "", len(source) + 1))


def parse(source: str) -> Node:
    """The tree of an expression. Raises ``ExpressionRefused``."""
    return _Parser(tokens(source)).parse()


class _Parser:
    def __init__(self, words: tuple[Token, ...]) -> None:
        if len(words) > MOST_PARTS:
            raise ExpressionRefused("too_long", f"The expression has more than {MOST_PARTS} parts. Split it into two parameters.")
        self.words = words
        self.at = 0
        self.depth = 0

    @property
    def next(self) -> Token:
        return self.words[self.at]

    def take(self, *texts: str) -> Token | None:
        """The next word when it is one of these signs or words."""
        token = self.next
        if token.kind in ("sign", "name") and token.text in texts:
            self.at += 1
            return token
        return None

    def parse(self) -> Node:
        node = self.choice()
        if self.next.kind != "end":
            raise self.unexpected()
        return node

    def unexpected(self) -> ExpressionRefused:
        token = self.next
        if token.kind == "end":
            return ExpressionRefused("unreadable", "The expression stops too early. Add what is missing at its end.", token.column)
        return ExpressionRefused("unreadable", f"{token.text!r} was not expected here. Check the part before it.", token.column)

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ExpressionRefused("nested_too_deep", f"Parts stand more than {DEEPEST} deep in one another. Split it into two parameters.", self.next.column)

    def choice(self) -> Node:
        self.deeper()
        then = self.either()
        token = self.take("if")
        if token:
            condition = self.either()
            if not self.take("else"):
                raise ExpressionRefused("unreadable", "An if needs an else: value if condition else other value.", self.next.column)
            then = Choice(condition, then, self.choice(), token.column)
        self.depth -= 1
        return then

    def either(self) -> Node:
        return self.joined("or", self.both)

    def both(self) -> Node:
        return self.joined("and", self.negation)

    def joined(self, word, part) -> Node:  # type: ignore[no-untyped-def]
        first = part()
        parts, column = [first], self.next.column
        while self.take(word):
            parts.append(part())
        return Logic(word, tuple(parts), column) if len(parts) > 1 else first

    def negation(self) -> Node:
        token = self.take("not")
        if token is None:
            return self.comparison()
        self.deeper()
        node = Unary("not", self.negation(), token.column)
        self.depth -= 1
        return node

    def comparison(self) -> Node:
        operands, signs, column = [self.sum()], [], self.next.column
        while token := self.take(*_COMPARES):
            signs.append(token.text)
            operands.append(self.sum())
        return Compare(tuple(signs), tuple(operands), column) if signs else operands[0]

    def sum(self) -> Node:
        node = self.product()
        while token := self.take("+", "-"):
            node = Binary(token.text, node, self.product(), token.column)
        return node

    def product(self) -> Node:
        node = self.signed()
        while token := self.take("*", "/"):
            node = Binary(token.text, node, self.signed(), token.column)
        return node

    def signed(self) -> Node:
        token = self.take("-", "+")
        if token is None:
            return self.power()
        self.deeper()
        node = Unary(token.text, self.signed(), token.column)
        self.depth -= 1
        return node

    def power(self) -> Node:
        base = self.atom()
        token = self.take("**")
        if token is None:
            return base
        self.deeper()
        node = Binary("**", base, self.signed(), token.column)
        self.depth -= 1
        return node

    def atom(self) -> Node:
        token = self.next
        if token.kind == "number":
            self.at += 1
            return Literal(_literal(token), token.column)
        if token.kind == "text":
            self.at += 1
            return Literal(token.text[1:-1], token.column)
        if token.kind == "name" and token.text not in _WORDS:
            self.at += 1
            if token.text.lower() in ("true", "false"):
                return Literal(token.text.lower() == "true", token.column)
            if self.take("("):
                return Call(token.text, self.arguments(), token.column)
            return Name(token.text, token.column)
        if self.take("("):
            node = self.choice()
            self.closed()
            return node
        raise self.unexpected()

    def arguments(self) -> tuple[Node, ...]:
        found: list[Node] = []
        if self.take(")"):
            return ()
        found.append(self.choice())
        while self.take(","):
            found.append(self.choice())
        self.closed()
        return tuple(found)

    def closed(self) -> None:
        if not self.take(")"):
            if self.next.kind == "end":
                raise ExpressionRefused("unreadable", "A bracket is not closed. Add ) where it ends.", self.next.column)
            raise self.unexpected()


def _literal(token: Token) -> Decimal:
    _, _, exponent = token.text.lower().partition("e")
    if len(token.text) > LONGEST_LITERAL or len(exponent) > 4:
        raise ExpressionRefused("literal_out_of_range", f"The number is longer than {LONGEST_LITERAL} characters. Shorten it.", token.column)
    value = Decimal(token.text)
    if (value and abs(value.adjusted()) > LARGEST_LITERAL_EXPONENT) or abs(int(exponent or 0)) > LARGEST_LITERAL_EXPONENT:
        raise ExpressionRefused(
            "literal_out_of_range",
            f"{token.text!r} is beyond 10 to the power of {LARGEST_LITERAL_EXPONENT}. Check the exponent.",
            token.column,
        )
    return value
