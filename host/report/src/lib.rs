//! What a preparation did, as a page for people and as JSON.
