"""What the rules run, one module a rule."""
