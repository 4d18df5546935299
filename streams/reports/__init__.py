"""Reports: what scanners, bills of materials and configurations say, in Events of one shape."""
