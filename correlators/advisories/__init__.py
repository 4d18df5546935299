"""Advisories: which versions of which components are known to be vulnerable."""
