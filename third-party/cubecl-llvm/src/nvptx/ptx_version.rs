use core::convert::Infallible;
use core::fmt;

/// A version of PTX to write, of which there is none.
#[derive(Clone, Copy, Debug)]
pub struct PtxVersion(Infallible);

impl PtxVersion {
    /// `None`, which CubeCL reads as "whatever LLVM chooses", for each CUDA `driver` version.
    pub fn for_driver(_driver: i32) -> Option<Self> {
        None
    }
}

impl fmt::Display for PtxVersion {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {}
    }
}
