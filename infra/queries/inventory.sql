-- How many things there are of each kind, and how they are known
FROM asset_counts
