//! What a rule counts: its labels and its metrics, ready to be evaluated on a match.
