//! Exact and near duplicates among any number of texts, and overlap with benchmark files.
