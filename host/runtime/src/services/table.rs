//! Handles to tensors. A handle lives until it is dropped or the call ends; numbers are not given again
//! in a later call, so a handle that a plugin kept is recognised instead of naming another tensor.

use crate::tensors::{AnyTensor, DType, TensorError, TensorType};
use pegbox_manifest::Limits;

pub struct TensorTable {
    slots: Vec<Option<AnyTensor>>,
    free: Vec<usize>,
    /// Number of the first slot.
    base: u32,
    bytes: u64,
    max_live: usize,
    max_bytes: u64,
    limits: Limits,
}

impl TensorTable {
    pub fn new(limits: &Limits) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            base: 1,
            bytes: 0,
            max_live: usize::try_from(limits.tensors).unwrap_or(usize::MAX),
            max_bytes: limits.tensor_mib << 20,
            limits: *limits,
        }
    }

    pub fn get(&self, op: &'static str, handle: u32) -> Result<&AnyTensor, TensorError> {
        self.index(handle).and_then(|index| self.slots.get(index)).and_then(Option::as_ref).ok_or_else(|| {
            TensorError::new(op, "the handle belongs to an earlier call, or to no tensor")
                .with_help("handles live until the end of the call that got them; keep numbers, not tensors")
        })
    }

    /// Whether a tensor of that type may be added.
    pub fn check_room(&self, op: &'static str, kind: TensorType) -> Result<(), TensorError> {
        if self.slots.len() - self.free.len() >= self.max_live {
            let limit = self.limits.tensors;
            return Err(TensorError::new(op, format!("{limit} tensor handles are alive already")).with_help(
                format!("drop tensors that are no longer needed, or raise `limits.tensors` (now {limit})"),
            ));
        }
        if self.bytes.saturating_add(size(kind)) > self.max_bytes {
            let limit = self.limits.tensor_mib;
            return Err(TensorError::new(
                op,
                format!("its result of shape {} would take the call's tensors above {limit} MiB", kind.shape),
            )
            .with_help(format!(
                "drop tensors that are no longer needed, or raise `limits.tensor-mib` (now {limit})"
            )));
        }
        Ok(())
    }

    pub fn insert(&mut self, op: &'static str, tensor: AnyTensor) -> Result<u32, TensorError> {
        self.check_room(op, tensor.kind())?;
        self.bytes += size(tensor.kind());
        let index = match self.free.pop() {
            Some(index) => {
                self.slots[index] = Some(tensor);
                index
            }
            None => {
                self.slots.push(Some(tensor));
                self.slots.len() - 1
            }
        };
        // At most 2^20 are alive at once.
        Ok(self.base.wrapping_add(index as u32))
    }

    pub fn remove(&mut self, handle: u32) {
        let Some(index) = self.index(handle) else { return };
        if let Some(tensor) = self.slots.get_mut(index).and_then(Option::take) {
            self.bytes -= size(tensor.kind());
            self.free.push(index);
        }
    }

    /// Drops all; returns how many were alive.
    pub fn clear(&mut self) -> u64 {
        let alive = self.slots.len() - self.free.len();
        // Numbers start over after four billion tensors; the guest's own table of handles ends long
        // before that if it keeps any.
        self.base =
            self.base.checked_add(self.slots.len() as u32).filter(|base| *base < 1 << 31).unwrap_or(1);
        self.slots.clear();
        self.free.clear();
        self.bytes = 0;
        alive as u64
    }

    /// How many are alive, and the bytes that they count for.
    #[cfg(feature = "fuzzing")]
    pub fn live(&self) -> (usize, u64) {
        (self.slots.iter().flatten().count(), self.bytes)
    }

    fn index(&self, handle: u32) -> Option<usize> {
        handle.checked_sub(self.base).map(|index| index as usize)
    }
}

fn size(kind: TensorType) -> u64 {
    let width = match kind.dtype {
        DType::Float => 4,
        DType::Int => 8,
        DType::Boolean => 1,
    };
    (kind.shape.elements() as u64).saturating_mul(width)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensors::Shape;
    use pegbox_manifest::LimitOverrides;

    fn table(tensors: u64) -> TensorTable {
        let overrides =
            LimitOverrides { tensors: Some(tensors), tensor_mib: Some(1), ..LimitOverrides::default() };
        TensorTable::new(&Limits::settle(&[], &LimitOverrides::default(), &overrides).unwrap())
    }

    fn tensor(elements: usize) -> AnyTensor {
        let shape = Shape::new(&[elements]).unwrap();
        AnyTensor::new((), TensorType { shape, dtype: DType::Float })
    }

    #[test]
    fn a_handle_kept_from_an_earlier_call_is_recognised() {
        let mut table = table(10);
        let old = table.insert("add", tensor(1)).unwrap();
        table.clear();
        let new = table.insert("add", tensor(2)).unwrap();
        assert_ne!(old, new);
        assert!(table.get("add", old).unwrap_err().what.contains("earlier call"));
        assert_eq!(table.get("add", new).unwrap().shape().elements(), 2);
    }

    #[test]
    fn live_handles_and_their_bytes_are_limited() {
        let mut table = table(2);
        let first = table.insert("add", tensor(1)).unwrap();
        table.insert("add", tensor(1)).unwrap();
        assert!(table.insert("add", tensor(1)).unwrap_err().help.unwrap().contains("limits.tensors"));
        table.remove(first);
        table.remove(first);
        assert!(table.insert("add", tensor(1 << 20)).unwrap_err().help.unwrap().contains("tensor-mib"));
        assert!(table.insert("add", tensor(1)).is_ok());
        assert!(table.insert("add", tensor(1)).is_err());
    }
}
