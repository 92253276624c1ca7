"""A recipe or specification made to break what reads it."""

import time

import pytest

from batches.recipes.document.loader import parse_recipe
from batches.recipes.document.problems import RecipeRefused
from batches.recipes.expressions import Expression, ExpressionRefused

DANGER = "the server stands still, or a recipe means something else than is read"
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(9))


@pytest.mark.parametrize(
    "text",
    [
        BOMB, "a: !!python/object/apply:os.system [id]\n", "a: &x {b: *x}\n", "<<: *x\n", "a: 1\na: 2\n", "[" * 5000, "- " * 5000, "{a: " * 3000, "\x00",
        "a: \ud800\n", "%TAG ! x\n---\na: 1\n",
    ],
    ids=["anchors", "tags", "itself", "merge", "twice", "brackets", "lists", "maps", "zero", "surrogate", "directive"],
)  # fmt: skip
def test_a_document_is_a_bomb(attack, text):
    """Import YAML with anchors that multiply, tags, itself inside, a name twice, 5,000 brackets, unprintable characters"""
    began = time.monotonic()
    with pytest.raises(RecipeRefused):
        parse_recipe(text)
    assert time.monotonic() - began < 5
    attack.came_of_it("refused with a line")


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000 + "1" + ")" * 5000, "1" + "+1" * 5000, "-" * 5000 + "1", "9e30 ** 9e30", "9 ** 9 ** 9 ** 9", "__import__('os')", "a.b", "a[0]", "lambda: 1",
        "1e999999999", "10 ** (0 - 99999999)",
    ],
)  # fmt: skip
def test_an_expression_is_a_bomb(attack, text):
    """Write expressions 5,000 deep or long, towers of powers, attributes, Python"""
    began = time.monotonic()
    with pytest.raises(ExpressionRefused):
        Expression.parse(text).evaluate({})
    assert time.monotonic() - began < 2
    attack.came_of_it("refused with a column")
