"""Gate: policies over a finite run, told to people, code hosts and build servers."""
