//! Which rows go into which part and which batch: splits, balance, lengths, batches, packing.
