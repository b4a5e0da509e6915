"""What a run does before planning so that killed runs can be resumed."""
