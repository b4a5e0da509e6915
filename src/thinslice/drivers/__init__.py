"""Shared ways of running a network over a volume: tiling, planes, devices, memory."""
