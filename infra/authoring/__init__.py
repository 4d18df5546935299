"""How rules are checked, proven and exported for those who write them."""
