"""Tables, figures and pages, typeset from numbers computed elsewhere."""
