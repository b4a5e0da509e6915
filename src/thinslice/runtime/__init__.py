"""How a process runs, never what it computes: devices, GPU locks, processes, progress, signals."""
