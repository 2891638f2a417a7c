//! Agreement between annotators, aggregation of their labels, labels that are likely wrong.
