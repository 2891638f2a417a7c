//! CubeCL's LLVM compiler, without LLVM.
//!
//! `cubecl-cuda` always compiles two kernel compilers, CUDA C++ through NVRTC and PTX through LLVM; its
//! feature `cpp` only says which of them runs. This crate offers the types which its
//! `src/compiler.rs`, `src/runtime.rs` and `src/compute/context.rs` name, so that the first can be had
//! without building the second. `README.md` says why, and when this crate can be dropped.
//!
//! **Selecting the LLVM compiler anyway** (building `cubecl-cuda` without `cpp`) makes every kernel
//! fail with a [`CompilationError`](cubecl_core::CompilationError) that says so. It cannot give
//! anything else: [`PlironArtifact`] and [`NvptxModule`] have no values, so there is nothing that could
//! be loaded and run. CubeCL's other users of LLVM, `cubecl-cpu` and `cubecl-hip`, do not compile
//! against this crate.

#![forbid(unsafe_code)]

#[cfg(feature = "amdgpu")]
compile_error!(
    "`cubecl-llvm` is a stand-in without LLVM here, and AMD GPUs (`burn/rocm`) need the real one: \
     take `cubecl-llvm` out of [patch.crates-io]"
);

/// The compiler that refuses, its options, and the artifact that it never makes.
mod compiler;

/// What CubeCL knows of NVIDIA's side of LLVM.
pub mod nvptx {
    /// Which PTX the LLVM compiler would write.
    pub mod ptx_version;
}

/// What CubeCL asks of LLVM for every GPU.
pub mod shared {
    /// What of a device's abilities the LLVM compiler would offer.
    pub mod lowered_features;
}

pub use compiler::{LlvmTarget, NvptxModule, PlironArtifact, PlironCompiler, PlironOptions};
