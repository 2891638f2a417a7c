//! The stream that `torch.save` wrote before PyTorch 1.6: a magic number, the protocol's version and the machine's
//! properties, the object, and the keys of the storages, a pickle each; then the storages in that order, each as its
//! number of elements and the elements (`_legacy_save` in `torch/serialization.py`).

use std::collections::HashMap;
use std::ops::Range;

use super::pickle::{self, Node, Objects, Storage};
use crate::error::{Fault, quoted};

/// 0x1950a86a20f9469cfc6c, little-endian.
const MAGIC: &[u8] = &[0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const PROTOCOL: i64 = 1001;

pub(super) struct Stream<'a> {
    pub objects: Objects<'a>,
    storages: HashMap<&'a str, Range<usize>>,
}

pub(super) fn looks_like(bytes: &[u8]) -> bool {
    bytes.first() == Some(&pickle::PROTO)
}

impl<'a> Stream<'a> {
    pub fn open(bytes: &'a [u8]) -> Result<Self, Fault> {
        let mut position = 0;
        let mut next = || -> Result<Objects<'a>, Fault> {
            let (objects, length) = pickle::read(&bytes[position..])?;
            position += length;
            Ok(objects)
        };
        let magic = next()?;
        if !matches!(magic.top(), Node::Long(bytes) if *bytes == MAGIC) {
            return Err(Fault::unsupported("a pickle that `torch.save` did not write"));
        }
        if !matches!(next()?.top(), Node::Int(PROTOCOL)) {
            return Err(Fault::unsupported("a version of PyTorch's stream that is not read"));
        }
        let machine = next()?;
        let little = machine.entries(machine.top()).and_then(|entries| {
            entries
                .iter()
                .find(|(key, _)| machine.text(*key) == Some("little_endian"))
                .map(|(_, value)| *value)
        });
        if little.is_some_and(|value| matches!(machine.node(value), Node::Bool(false))) {
            return Err(Fault::unsupported("it was written on a big-endian machine"));
        }
        let objects = next()?;
        let keys = next()?;
        let storages = storages(&objects, &keys, bytes, position)?;
        Ok(Self { objects, storages })
    }

    /// The bytes of the file that hold a storage.
    pub fn storage(&self, storage: &Storage<'_>) -> Result<Range<usize>, Fault> {
        let range = self.storages.get(storage.key).cloned();
        range.ok_or_else(|| Fault::damaged(format!("the storage {} is missing", quoted(storage.key))))
    }
}

/// Where the storages lie that follow the pickles from `position`.
fn storages<'a>(
    objects: &Objects<'a>,
    keys: &Objects<'a>,
    bytes: &[u8],
    mut position: usize,
) -> Result<HashMap<&'a str, Range<usize>>, Fault> {
    let sizes: HashMap<&str, usize> =
        objects.storages().map(|storage| (storage.key, storage.element_size)).collect();
    let Node::List(keys_in_order) = keys.top() else {
        return Err(Fault::damaged("the list of the storages is missing"));
    };
    let mut storages = HashMap::new();
    for key in keys_in_order {
        let key = keys.text(*key).ok_or_else(|| Fault::damaged("a storage's key is no text"))?;
        let inside = |what: &str| Fault::damaged(format!("the storage {} {what}", quoted(key)));
        let size = *sizes.get(key).ok_or_else(|| inside("belongs to no tensor"))?;
        let count = bytes[position..].first_chunk().ok_or_else(|| inside("is cut off"))?;
        let start = position + count.len();
        let length =
            usize::try_from(u64::from_le_bytes(*count)).ok().and_then(|count| count.checked_mul(size));
        let end = length.and_then(|length| start.checked_add(length)).filter(|end| *end <= bytes.len());
        position = end.ok_or_else(|| inside("claims more than the file has"))?;
        if storages.insert(key, start..position).is_some() {
            return Err(inside("is there twice"));
        }
    }
    Ok(storages)
}
