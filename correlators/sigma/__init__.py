"""Sigma rules over nested records: loaded by pySigma, compiled to closures, routed and indexed."""
