//! From the objects of a pickle to tensors in the file.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::pickle::{Id, Node, Objects, Storage, TensorNode};
use crate::dtype::elements;
use crate::error::{Fault, quoted};
use crate::mapped::Mapped;
use crate::tensor::{Order, StoredTensor};

/// Where training loops put the state dict inside of a checkpoint.
const INSIDE: [&str; 4] = ["state_dict", "model_state_dict", "model", "module"];

/// Tensors may share storages, as tied matrices do; all of them together hold at most so many elements for each byte
/// of the file.
const SHARED: usize = 4;

/// The tensors of a state dict, or of one inside a checkpoint. `locate` says which bytes of `file` hold a storage.
pub(super) fn tensors(
    objects: &Objects<'_>,
    file: &Arc<Mapped>,
    locate: impl Fn(&Storage<'_>) -> Result<Range<usize>, Fault>,
) -> Result<Vec<(String, StoredTensor)>, Fault> {
    let limit = file.bytes().len().saturating_mul(SHARED);
    let mut all = 0usize;
    let mut tensors = HashMap::new();
    for (key, value) in state_dict(objects)? {
        let name =
            objects.text(*key).ok_or_else(|| Fault::damaged("the state dict has a name that is no text"))?;
        let Node::Tensor(node) = objects.node(*value) else { continue };
        let tensor = tensor(objects, node, file, &locate)
            .map_err(|fault| fault.inside(&format!("tensor {}", quoted(name))))?;
        all = all.saturating_add(elements(tensor.shape()).unwrap_or(usize::MAX));
        if all > limit {
            return Err(Fault::damaged("its tensors share so much that they are far larger than the file"));
        }
        if tensors.insert(name.to_owned(), tensor).is_some() {
            return Err(Fault::damaged(format!("the tensor {} is there twice", quoted(name))));
        }
    }
    Ok(tensors.into_iter().collect())
}

/// The entries of the dictionary that holds the tensors.
fn state_dict<'s>(objects: &'s Objects<'_>) -> Result<&'s [(Id, Id)], Fault> {
    let entries = objects.entries(objects.top()).ok_or_else(|| {
        Fault::unsupported("it holds no dictionary of tensors: save the model's `state_dict()`")
    })?;
    let holds_tensors = |entries: &[(Id, Id)]| {
        entries.iter().any(|(_, value)| matches!(objects.node(*value), Node::Tensor(_)))
    };
    if holds_tensors(entries) {
        return Ok(entries);
    }
    let inner = INSIDE.iter().find_map(|wanted| {
        let (_, value) = entries.iter().find(|(key, _)| objects.text(*key) == Some(*wanted))?;
        objects.entries(objects.node(*value)).filter(|entries| holds_tensors(entries))
    });
    inner
        .ok_or_else(|| Fault::unsupported("its dictionary holds no tensors: save the model's `state_dict()`"))
}

fn tensor(
    objects: &Objects<'_>,
    node: &TensorNode,
    file: &Arc<Mapped>,
    locate: &impl Fn(&Storage<'_>) -> Result<Range<usize>, Fault>,
) -> Result<StoredTensor, Fault> {
    let Node::Storage(storage) = objects.node(node.storage) else {
        return Err(Fault::damaged("it has no storage"));
    };
    let range = locate(storage)?;
    let size = storage.element_size;
    if storage.length.checked_mul(size).is_none_or(|bytes| bytes > range.len()) {
        return Err(Fault::damaged(format!(
            "its storage {} should have {} elements of {size} bytes, but has {} bytes",
            quoted(storage.key),
            storage.length,
            range.len()
        )));
    }
    let TensorNode { shape, strides, offset, .. } = node;
    let count =
        elements(shape).ok_or_else(|| Fault::damaged(format!("its sizes {shape:?} are too large")))?;
    let beyond = || {
        Fault::damaged(format!(
            "its {count} elements from {offset} reach beyond the {} of its storage",
            storage.length
        ))
    };
    let left = storage.length.checked_sub(*offset).ok_or_else(beyond)?;
    let start = range.start + offset * size;
    let order = match contiguous(shape, strides) {
        true if count > left => return Err(beyond()),
        true => Order::RowMajor,
        false => Order::Strided(strides.clone()),
    };
    let length = if order == Order::RowMajor { count } else { left };
    StoredTensor::new(shape.clone(), storage.dtype, file.clone(), start..start + length * size, order)
}

/// Whether elements follow each other row by row. Strides of dimensions of one element mean nothing.
fn contiguous(shape: &[usize], strides: &[usize]) -> bool {
    let mut expected = 1usize;
    shape.len() == strides.len()
        && shape.iter().zip(strides).rev().all(|(size, stride)| {
            let fits = *size <= 1 || *stride == expected;
            expected = expected.saturating_mul(*size);
            fits
        })
}
