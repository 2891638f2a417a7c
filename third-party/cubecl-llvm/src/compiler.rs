use crate::nvptx::ptx_version::PtxVersion;
use core::convert::Infallible;
use core::ffi::c_char;
use core::fmt;
use cubecl_core::ir::nvidia::SmArch;
use cubecl_core::{CompilationError, Compiler};
use cubecl_environment::backtrace::BackTrace;
use cubecl_runtime::kernel::{BufferIOAttr, KernelDefinition};

/// The machine that kernels would be compiled for.
#[derive(Clone, Copy, Debug, Default)]
pub enum LlvmTarget {
    #[default]
    Nvptx,
}

/// Refuses every kernel.
#[derive(Clone, Debug, Default)]
pub struct PlironCompiler {
    pub target: LlvmTarget,
}

/// What `cubecl-cuda` tells the compiler; none of it is read.
#[derive(Clone, Debug, Default)]
pub struct PlironOptions {
    /// An AMD GPU, of which there is none here.
    pub arch: Option<Infallible>,
    pub sm_arch: Option<SmArch>,
    pub ptx_version: Option<PtxVersion>,
    pub grid_constants: bool,
}

/// A compiled kernel, of which there is none: `never` has no values, and so neither has this.
#[derive(Clone, Debug)]
pub struct NvptxModule {
    pub ptx: Vec<c_char>,
    pub ir: String,
    pub shared_memory_size: usize,
    pub io: Vec<BufferIOAttr>,
    never: Infallible,
}

/// What compiling would give, of which there is none either.
pub enum PlironArtifact {
    NvptxCode(NvptxModule),
}

impl fmt::Display for PlironArtifact {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::NvptxCode(module) = self;
        match module.never {}
    }
}

impl Compiler for PlironCompiler {
    type Representation = PlironArtifact;
    type CompilationOptions = PlironOptions;

    /// # Errors
    ///
    /// Always [`CompilationError::Generic`], which names the mistake in the build and its remedy.
    fn compile(
        &mut self,
        _: KernelDefinition,
        _: &Self::CompilationOptions,
    ) -> Result<Self::Representation, CompilationError> {
        Err(CompilationError::Generic {
            reason: "this program was built without LLVM, and so cannot compile GPU kernels \
                     through it; build it again with the feature `cpp` of `cubecl-cuda`, which \
                     compiles them through NVRTC (see third-party/cubecl-llvm/README.md)"
                .into(),
            backtrace: BackTrace::capture(),
        })
    }

    fn extension(&self) -> &'static str {
        "ll"
    }

    fn lang_tag(&self) -> &'static str {
        "llvm"
    }
}
