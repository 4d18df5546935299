"""The verbs: match, window, correlate, converge, score, forecast, gate. Pure: no clock, no I/O."""
