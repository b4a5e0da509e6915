"""The one training loop: crops, steps, validation, checkpoints."""
