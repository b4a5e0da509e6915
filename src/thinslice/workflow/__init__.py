"""What the Snakefile and its rules import; standard library only."""
