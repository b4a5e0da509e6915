"""What related methods share: fit, save, load and restore of one kind of network."""
