"""What the Snakefile and its rules import: cells, cards, resources; standard library only."""
