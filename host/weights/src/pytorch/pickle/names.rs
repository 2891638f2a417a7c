//! The names that state dicts use. There are no others: a pickle that names anything else could run it.

use crate::dtype::Dtype;
use crate::error::{Fault, quoted};

/// The opcode that every pickle since protocol 2 begins with.
pub(in super::super) const PROTO: u8 = 0x80;

/// More dimensions than any model's tensor has.
pub(super) const DIMENSIONS: usize = 16;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) enum Global {
    OrderedDict,
    /// `_rebuild_tensor` and `_rebuild_tensor_v2`, which begin with the same four arguments.
    RebuildTensor,
    RebuildParameter,
    /// A type of storage: the elements' type and bytes.
    Storage(Dtype, usize),
}

impl Global {
    pub fn known(module: &str, name: &str) -> Result<Self, Fault> {
        let storage = || {
            Some(match name {
                "DoubleStorage" => (Dtype::F64, 8),
                "FloatStorage" => (Dtype::F32, 4),
                "HalfStorage" => (Dtype::F16, 2),
                "BFloat16Storage" => (Dtype::BF16, 2),
                "LongStorage" => (Dtype::Other("I64"), 8),
                "IntStorage" => (Dtype::Other("I32"), 4),
                "ShortStorage" => (Dtype::Other("I16"), 2),
                "CharStorage" => (Dtype::Other("I8"), 1),
                "ByteStorage" => (Dtype::Other("U8"), 1),
                "BoolStorage" => (Dtype::Other("BOOL"), 1),
                "ComplexFloatStorage" => (Dtype::Other("C64"), 8),
                "ComplexDoubleStorage" => (Dtype::Other("C128"), 16),
                _ => return None,
            })
        };
        let global = match (module, name) {
            ("collections", "OrderedDict") => Some(Self::OrderedDict),
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Some(Self::RebuildTensor),
            ("torch._utils", "_rebuild_parameter") => Some(Self::RebuildParameter),
            ("torch" | "torch.cuda" | "torch.storage", _) => {
                storage().map(|(dtype, size)| Self::Storage(dtype, size))
            }
            _ => None,
        };
        global.ok_or_else(|| {
            Fault::unsupported(format!(
                "it uses {}, which is not part of a state dict and could run anything; it was not executed",
                quoted(&format!("{module}.{name}"))
            ))
        })
    }
}
