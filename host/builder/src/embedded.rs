//! The files that this program carries, as build.rs has listed them: paths with `/`, and contents.

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
