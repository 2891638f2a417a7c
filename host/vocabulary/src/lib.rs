//! Tokenizers trained, extended and compared.
