"""Servers of the project's own for a machine that has none, and the way every command reaches the database.

Uses no Django: it runs before the settings are read and tells them, through the environment, where the servers are.
"""
