"""Typeset things: tables, figures and pages from tables that are already computed."""
