"""Words of the page are those of the docs, and each leads to its meaning."""

from support.paths import ROOT
from thinslice.report.html.glossary import FILE, Glossary, name_of, of_docs

DOCS = ROOT / "docs/reference/glossary.md"


def test_the_page_has_the_glossary_of_the_docs():
    assert FILE.read_bytes() == DOCS.read_bytes(), "copy the docs' page to the package"


def test_every_row_of_the_docs_is_explained_word_by_word():
    meanings = of_docs()
    assert meanings["overlap"] == meanings["gap"]
    assert meanings["HU"].startswith("Hounsfield unit")
    assert meanings["fit: none, population, volume"].startswith("when a method learns")
    assert not {"word", "---", "meaning"} & set(meanings)


def test_only_the_first_of_a_word_is_linked_and_no_part_of_another_word():
    words = Glossary({"thick": "as given", "thickness_mm": "width <of> a slice"})
    text = words.mark("thick & thickness_mm, thicker, thick")
    assert text.count(f'href="#{name_of("thick")}"') == 1
    assert 'title="width &lt;of&gt; a slice">thickness_mm</a>' in text
    assert "thicker, thick" in text
    assert "& " not in text
    assert f'id="{name_of("thick")}"' in words.listed()


def test_without_words_text_is_only_escaped():
    assert Glossary({}).mark("a < b") == "a &lt; b"
