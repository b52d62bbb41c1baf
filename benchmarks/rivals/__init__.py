"""Servers that answer the same requests by the same graph, as their own documentation would have it: for comparison."""
