"""Downstream of restoring: is a structure found in restored scans as in thin ones?"""
