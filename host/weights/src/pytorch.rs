//! State dicts as `torch.save` writes them: a pickle that names tensors, and the storages that hold their elements.
//! The pickle is read by a machine that executes nothing: what is not known to belong to a state dict is an error.
//!
//! Since PyTorch 1.6 both lie in a zip archive (`torch/serialization.py`); before, they followed each other in one
//! stream.

/// The zip archive, whose entries are used where they lie.
mod archive;
/// The stream of before PyTorch 1.6.
mod legacy;
/// The machine that reads pickles.
mod pickle;
/// From the pickle's objects to tensors.
mod state_dict;

use std::ffi::OsStr;
use std::sync::Arc;

use crate::error::Fault;
use crate::mapped::Mapped;
use crate::tensor::StoredTensor;

/// Whether it begins as one, or is called as one.
pub(crate) fn looks_like(file: &Mapped) -> bool {
    let extension = file.path().extension().and_then(OsStr::to_str);
    archive::looks_like(file.bytes())
        || legacy::looks_like(file.bytes())
        || matches!(extension, Some("bin" | "pt" | "pth" | "ckpt"))
}

/// All tensors by name.
pub(crate) fn read(file: &Arc<Mapped>) -> Result<Vec<(String, StoredTensor)>, Fault> {
    let bytes = file.bytes();
    if archive::looks_like(bytes) {
        let archive = archive::Archive::open(bytes)?;
        let (objects, _) = pickle::read(archive.pickle()?)?;
        return state_dict::tensors(&objects, file, |storage| archive.storage(storage));
    }
    if legacy::looks_like(bytes) {
        let stream = legacy::Stream::open(bytes)?;
        return state_dict::tensors(&stream.objects, file, |storage| stream.storage(storage));
    }
    Err(Fault::damaged("not a file of PyTorch's: it is neither a zip archive nor a pickle"))
}

#[cfg(test)]
mod tests;
