"""What computes has a text of its own; what only people read has none."""

import ast

import pytest

from thinslice.provenance.syntax import computing_text

FUNCTION = """
def shrink(image, factor):
    if factor < 1:
        raise ValueError(f"factor {factor} is below 1")
    assert image.size, "an empty image"
    print("shrinking", factor)
    LOG.info("by %d", factor)
    return image[::factor]
"""
PARSER = """
p = argparse.ArgumentParser(description="Fit.")
p.add_argument("--seed", type=int, default=0, help="of the random numbers")
"""


def text_of(code: str) -> str:
    return computing_text(ast.parse(code))[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('f"factor {factor} is below 1"', '"use 1 or more"'),
        ('f"factor {factor} is below 1"', 'f"{len(image)} slices cannot be shrunk " "by that"'),
        ('"an empty image"', '"the image has no voxels"'),
        (', "an empty image"', ""),
        ('    print("shrinking", factor)\n', ""),
        ('"shrinking", factor', '"shrinking", round(factor, 2), file=sys.stderr, flush=True'),
        ('    LOG.info("by %d", factor)\n', ""),
        ("LOG.info", "LOG.debug"),
        ("    return", '    logging.warning("still here")\n    return'),
        ("    return", '    """Not a docstring, but as idle."""\n    return'),
    ],
)
def test_words_for_people_do_not_count(old, new):
    assert old in FUNCTION
    assert text_of(FUNCTION.replace(old, new)) == text_of(FUNCTION)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("ValueError", "KeyError"),
        ("raise ValueError", "yield ValueError"),
        ('f"factor {factor} is below 1"', "factor"),
        ('f"factor {factor} is below 1"', 'f"{next(image)} is below 1"'),
        ("assert image.size", "assert image.shape"),
        ('"an empty image"', "image.pop()"),
        ('"shrinking", factor', '"shrinking", next(image)'),
        ('"shrinking", factor', '"shrinking", *image'),
        ('"shrinking", factor', '"shrinking", [row for row in image]'),
        ('"shrinking", factor', '"shrinking", (factor := 2)'),
        ('"shrinking", factor', '"shrinking", factor, file=table'),
        ('"shrinking", factor', '"shrinking", factor, **where'),
        ("LOG.info", "table.info"),
        ("LOG.info", "LOG.addHandler"),
        ('print("shrinking", factor)', 'shown = print("shrinking", factor)'),
        ("[::factor]", "[::-factor]"),
    ],
)
def test_whatever_may_change_a_result_counts(old, new):
    assert old in FUNCTION
    assert text_of(FUNCTION.replace(old, new)) != text_of(FUNCTION)


def test_an_argument_of_an_exception_that_is_no_text_counts():
    """A handler may compute with it."""
    assert text_of("raise Stop(step, 3)") != text_of("raise Stop(step, 4)")
    assert text_of("raise Stop(step, why='late')") == text_of("raise Stop(step, why='too late')")
    assert text_of("raise Stop(step, at=3)") != text_of("raise Stop(step, at=4)")
    assert text_of("raise E('a %s' % n)") == text_of("raise E('b %s' % n)")


def test_help_texts_of_a_command_line_do_not_count_but_its_flags_do():
    for text in ("Fit.", "of the random numbers"):
        assert text_of(PARSER.replace(text, "other words")) == text_of(PARSER)
    for old, new in (("--seed", "--seeds"), ("default=0", "default=1"), ("type=int", "type=float")):
        assert text_of(PARSER.replace(old, new)) != text_of(PARSER)


def test_the_imports_are_found_wherever_they_are():
    code = "import a\ndef f():\n    from b import c\n    print('x')\n"
    assert [ast.unparse(node) for node in computing_text(ast.parse(code))[1]] == [
        "import a",
        "from b import c",
    ]
