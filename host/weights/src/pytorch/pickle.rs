//! A machine for the pickles of state dicts. It has the opcodes that `torch.save` and Python's pickler write for
//! dictionaries of tensors, knows a handful of names, and builds plain data of them; no name is ever looked up, and
//! nothing is called. Opcodes: Python's `Lib/pickletools.py`.
//!
//! Every opcode makes at most one object, and objects refer to each other by number, so that neither references
//! back, nor nesting, nor sharing can cost more than the pickle's own length.

/// Opcodes by number, and the names that state dicts use.
mod names;

use std::collections::HashMap;

pub(super) use names::{Global, PROTO};

use crate::dtype::Dtype;
use crate::error::{Fault, quoted};

/// A state dict takes about a hundred bytes for each tensor.
const LENGTH: usize = 64 << 20;
const OBJECTS: usize = 4 << 20;
const STACK: usize = 1 << 20;

/// An object's number.
pub(super) type Id = u32;

/// Everything that a pickle holds, and which of it is the result.
pub(super) struct Objects<'a> {
    nodes: Vec<Node<'a>>,
    top: Id,
}

#[derive(Debug)]
pub(super) enum Node<'a> {
    /// None, a float, bytes: things that no tensor needs.
    Other,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits, little-endian.
    Long(&'a [u8]),
    Text(&'a str),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Global(Global),
    Storage(Storage<'a>),
    Tensor(TensorNode),
}

/// Elements in a file, as a pickle refers to them.
#[derive(Debug, Clone)]
pub(super) struct Storage<'a> {
    pub dtype: Dtype,
    pub element_size: usize,
    pub key: &'a str,
    /// Elements.
    pub length: usize,
}

/// A view of a storage; numbers in elements.
#[derive(Debug, Clone)]
pub(super) struct TensorNode {
    pub storage: Id,
    pub offset: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}

impl<'a> Objects<'a> {
    pub fn top(&self) -> &Node<'a> {
        self.node(self.top)
    }

    pub fn node(&self, id: Id) -> &Node<'a> {
        &self.nodes[id as usize]
    }

    pub fn text(&self, id: Id) -> Option<&'a str> {
        match self.node(id) {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn entries<'s>(&'s self, node: &'s Node<'a>) -> Option<&'s [(Id, Id)]> {
        match node {
            Node::Dict(entries) => Some(entries),
            _ => None,
        }
    }

    pub fn storages(&self) -> impl Iterator<Item = &Storage<'a>> {
        self.nodes.iter().filter_map(|node| match node {
            Node::Storage(storage) => Some(storage),
            _ => None,
        })
    }
}

/// The objects of the pickle that `input` begins with, and its length.
pub(super) fn read(input: &[u8]) -> Result<(Objects<'_>, usize), Fault> {
    let mut machine = Machine {
        input: &input[..input.len().min(LENGTH)],
        position: 0,
        nodes: Vec::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
    };
    let result = machine.run();
    let at = machine.position;
    let top = result.map_err(|fault| fault.inside(&format!("the pickle, before its byte {at}")))?;
    Ok((Objects { nodes: machine.nodes, top }, at))
}

struct Machine<'a> {
    input: &'a [u8],
    position: usize,
    nodes: Vec<Node<'a>>,
    stack: Vec<Id>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
}

impl<'a> Machine<'a> {
    fn run(&mut self) -> Result<Id, Fault> {
        loop {
            let opcode = self.byte()?;
            if opcode == b'.' {
                return self.pop();
            }
            self.step(opcode)?;
            if self.nodes.len() > OBJECTS || self.memo.len() > OBJECTS {
                return Err(Fault::unsupported(format!("it has more than {OBJECTS} objects")));
            }
            if self.stack.len() > STACK || self.marks.len() > STACK {
                return Err(Fault::damaged(format!("it stacks more than {STACK} objects")));
            }
        }
    }

    fn step(&mut self, opcode: u8) -> Result<(), Fault> {
        match opcode {
            PROTO => match self.byte()? {
                2..=5 => Ok(()),
                protocol => Err(Fault::unsupported(format!("its protocol is {protocol}"))),
            },
            // FRAME: how long a part is, for readers that buffer.
            0x95 => self.take(8).map(|_| ()),
            b'N' => self.push(Node::Other),
            0x88 => self.push(Node::Bool(true)),
            0x89 => self.push(Node::Bool(false)),
            b'K' => self.byte().and_then(|value| self.push(Node::Int(value.into()))),
            b'M' => self.array().and_then(|bytes| self.push(Node::Int(u16::from_le_bytes(bytes).into()))),
            b'J' => self.array().and_then(|bytes| self.push(Node::Int(i32::from_le_bytes(bytes).into()))),
            0x8a => self.byte().and_then(|length| self.long(length.into())),
            0x8b => self.length32().and_then(|length| self.long(length)),
            b'G' => self.take(8).and_then(|_| self.push(Node::Other)),
            // Texts: BINUNICODE, SHORT_BINUNICODE, BINUNICODE8; and Python 2's BINSTRING, SHORT_BINSTRING.
            b'X' | b'T' => self.length32().and_then(|length| self.text(length)),
            0x8c | b'U' => self.byte().and_then(|length| self.text(length.into())),
            0x8d => self.length64().and_then(|length| self.text(length)),
            // BINBYTES, SHORT_BINBYTES, BINBYTES8.
            b'B' => self.length32().and_then(|length| self.bytes(length)),
            b'C' => self.byte().and_then(|length| self.bytes(length.into())),
            0x8e => self.length64().and_then(|length| self.bytes(length)),
            b'(' => {
                self.marks.push(self.stack.len());
                Ok(())
            }
            b'0' => self.pop().map(|_| ()),
            b'1' => self.pop_mark().map(|_| ()),
            b'2' => self.top().map(|id| self.stack.push(id)),
            b')' => self.push(Node::Tuple(Vec::new())),
            0x85..=0x87 => {
                self.pop_many(usize::from(opcode) - 0x84).and_then(|items| self.push(Node::Tuple(items)))
            }
            b't' => self.pop_mark().and_then(|items| self.push(Node::Tuple(items))),
            b']' => self.push(Node::List(Vec::new())),
            b'l' => self.pop_mark().and_then(|items| self.push(Node::List(items))),
            b'}' => self.push(Node::Dict(Vec::new())),
            b'd' => self.pop_mark().and_then(|items| self.push(Node::Dict(pairs(&items)?))),
            b'a' => self.pop_many(1).and_then(|items| self.append(&items)),
            b'e' => self.pop_mark().and_then(|items| self.append(&items)),
            b's' => self.pop_many(2).and_then(|items| self.set_items(&items)),
            b'u' => self.pop_mark().and_then(|items| self.set_items(&items)),
            // BINPUT, LONG_BINPUT, MEMOIZE; BINGET, LONG_BINGET.
            b'q' => self.byte().and_then(|key| self.put(key.into())),
            b'r' => self.array().and_then(|key| self.put(u32::from_le_bytes(key))),
            0x94 => self.put(self.memo.len() as u32),
            b'h' => self.byte().and_then(|key| self.get(key.into())),
            b'j' => self.array().and_then(|key| self.get(u32::from_le_bytes(key))),
            b'c' => self.global(),
            0x93 => self.stack_global(),
            b'Q' => self.persistent(),
            b'R' => self.reduce(),
            b'b' => self.build(),
            other => Err(Fault::unsupported(format!(
                "it uses the opcode {other:#04x}, which state dicts do not need; nothing in it was executed"
            ))),
        }
    }

    // What stands in the pickle.

    fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let taken = self.input[self.position..].get(..count).ok_or_else(|| {
            Fault::damaged(match self.input.len() {
                LENGTH => format!("it is longer than {LENGTH} bytes"),
                _ => "it is cut off".to_owned(),
            })
        })?;
        self.position += count;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Fault> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn length32(&mut self) -> Result<usize, Fault> {
        self.array().map(|bytes| u32::from_le_bytes(bytes) as usize)
    }

    fn length64(&mut self) -> Result<usize, Fault> {
        let length = u64::from_le_bytes(self.array()?);
        usize::try_from(length).map_err(|_| Fault::damaged(format!("it claims {length} bytes")))
    }

    fn line(&mut self) -> Result<&'a str, Fault> {
        let rest = &self.input[self.position..];
        let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let line = utf8(self.take(end)?)?;
        self.byte()?;
        Ok(line)
    }

    // Plain objects.

    fn push(&mut self, node: Node<'a>) -> Result<(), Fault> {
        // The number of nodes has a limit far below 2^32.
        self.stack.push(self.nodes.len() as Id);
        self.nodes.push(node);
        Ok(())
    }

    fn text(&mut self, length: usize) -> Result<(), Fault> {
        let text = utf8(self.take(length)?)?;
        self.push(Node::Text(text))
    }

    fn bytes(&mut self, length: usize) -> Result<(), Fault> {
        self.take(length)?;
        self.push(Node::Other)
    }

    /// Two's complement, little-endian.
    fn long(&mut self, length: usize) -> Result<(), Fault> {
        let bytes = self.take(length)?;
        if bytes.len() > 8 {
            return self.push(Node::Long(bytes));
        }
        let sign = if bytes.last().is_some_and(|byte| byte >> 7 == 1) { 0xff } else { 0 };
        let mut wide = [sign; 8];
        wide[..bytes.len()].copy_from_slice(bytes);
        self.push(Node::Int(i64::from_le_bytes(wide)))
    }

    // The stack.

    /// Nothing below the last mark can be reached.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Result<Id, Fault> {
        match self.stack.len() > self.floor() {
            true => self.stack.pop().ok_or_else(empty),
            false => Err(empty()),
        }
    }

    fn top(&self) -> Result<Id, Fault> {
        self.stack.get(self.floor()..).and_then(<[Id]>::last).copied().ok_or_else(empty)
    }

    fn pop_many(&mut self, count: usize) -> Result<Vec<Id>, Fault> {
        match self.stack.len() - self.floor() >= count {
            true => Ok(self.stack.split_off(self.stack.len() - count)),
            false => Err(empty()),
        }
    }

    fn pop_mark(&mut self) -> Result<Vec<Id>, Fault> {
        let mark = self.marks.pop().ok_or_else(|| Fault::damaged("a mark is missing"))?;
        Ok(self.stack.split_off(mark))
    }

    fn put(&mut self, key: u32) -> Result<(), Fault> {
        let id = self.top()?;
        self.memo.insert(key, id);
        Ok(())
    }

    fn get(&mut self, key: u32) -> Result<(), Fault> {
        let id = self.memo.get(&key).ok_or_else(|| Fault::damaged(format!("it has no object {key}")))?;
        self.stack.push(*id);
        Ok(())
    }

    fn append(&mut self, items: &[Id]) -> Result<(), Fault> {
        let list = self.top()?;
        match &mut self.nodes[list as usize] {
            Node::List(all) => all.extend(items),
            other => return Err(misplaced("a list", other)),
        }
        Ok(())
    }

    fn set_items(&mut self, items: &[Id]) -> Result<(), Fault> {
        let (dict, items) = (self.top()?, pairs(items)?);
        match &mut self.nodes[dict as usize] {
            Node::Dict(all) => all.extend(items),
            other => return Err(misplaced("a dictionary", other)),
        }
        Ok(())
    }

    // Names, and what they would make.

    fn global(&mut self) -> Result<(), Fault> {
        let (module, name) = (self.line()?, self.line()?);
        self.push(Node::Global(Global::known(module, name)?))
    }

    fn stack_global(&mut self) -> Result<(), Fault> {
        let (name, module) = (self.pop()?, self.pop()?);
        let text = |id: Id| match &self.nodes[id as usize] {
            Node::Text(text) => Ok(*text),
            other => Err(misplaced("a name", other)),
        };
        self.push(Node::Global(Global::known(text(module)?, text(name)?)?))
    }

    /// `('storage', torch.FloatStorage, key, device, elements)`; and nothing, or a view, in the old stream.
    fn persistent(&mut self) -> Result<(), Fault> {
        let id = self.pop()?;
        let parts = match &self.nodes[id as usize] {
            Node::Tuple(parts) => parts.iter().map(|part| &self.nodes[*part as usize]).collect::<Vec<_>>(),
            other => return Err(misplaced("a reference to a storage", other)),
        };
        let (dtype, element_size, key, length) = match parts.as_slice() {
            [
                Node::Text("storage"),
                Node::Global(Global::Storage(dtype, size)),
                Node::Text(key),
                _,
                Node::Int(length),
            ]
            | [
                Node::Text("storage"),
                Node::Global(Global::Storage(dtype, size)),
                Node::Text(key),
                _,
                Node::Int(length),
                Node::Other,
            ] => (*dtype, *size, *key, *length),
            _ => return Err(Fault::unsupported("it refers to something that is not a storage")),
        };
        let length = usize::try_from(length)
            .map_err(|_| Fault::damaged(format!("the storage {} has {length} elements", quoted(key))))?;
        self.push(Node::Storage(Storage { dtype, element_size, key, length }))
    }

    fn reduce(&mut self) -> Result<(), Fault> {
        let (arguments, callable) = (self.pop()?, self.pop()?);
        let Node::Global(global) = self.nodes[callable as usize] else {
            return Err(misplaced("a name to call", &self.nodes[callable as usize]));
        };
        let Node::Tuple(arguments) = &self.nodes[arguments as usize] else {
            return Err(misplaced("arguments", &self.nodes[arguments as usize]));
        };
        match (global, arguments.as_slice()) {
            (Global::OrderedDict, []) => self.push(Node::Dict(Vec::new())),
            (Global::OrderedDict, &[list]) => {
                let entries = self.list_of_pairs(list)?;
                self.push(Node::Dict(entries))
            }
            (Global::RebuildTensor, &[storage, offset, shape, strides, ..]) => {
                let tensor = self.tensor(storage, offset, shape, strides)?;
                self.push(Node::Tensor(tensor))
            }
            // A parameter is its tensor.
            (Global::RebuildParameter, &[tensor, ..]) => {
                self.stack.push(tensor);
                Ok(())
            }
            (global, _) => Err(Fault::damaged(format!("{global:?} has {} arguments", arguments.len()))),
        }
    }

    /// What an object's `__setstate__` would be given: of an ordered dictionary its `_metadata`, which no tensor needs.
    fn build(&mut self) -> Result<(), Fault> {
        self.pop()?;
        match &self.nodes[self.top()? as usize] {
            Node::Dict(_) => Ok(()),
            other => Err(misplaced("a dictionary with attributes", other)),
        }
    }

    /// As Python 2 wrote ordered dictionaries.
    fn list_of_pairs(&self, list: Id) -> Result<Vec<(Id, Id)>, Fault> {
        let Node::List(items) = &self.nodes[list as usize] else {
            return Err(misplaced("a list of entries", &self.nodes[list as usize]));
        };
        let pair = |id: &Id| match &self.nodes[*id as usize] {
            Node::List(pair) | Node::Tuple(pair) if pair.len() == 2 => Ok((pair[0], pair[1])),
            other => Err(misplaced("an entry", other)),
        };
        items.iter().map(pair).collect()
    }

    fn tensor(&self, storage: Id, offset: Id, shape: Id, strides: Id) -> Result<TensorNode, Fault> {
        let number = |id: Id| match self.nodes[id as usize] {
            Node::Int(value) => {
                usize::try_from(value).map_err(|_| Fault::damaged(format!("a tensor has {value}")))
            }
            ref other => Err(misplaced("a number", other)),
        };
        let numbers = |id: Id| match &self.nodes[id as usize] {
            Node::Tuple(items) if items.len() <= names::DIMENSIONS => {
                items.iter().map(|item| number(*item)).collect()
            }
            other => Err(misplaced("a shape", other)),
        };
        match &self.nodes[storage as usize] {
            Node::Storage(_) => {}
            other => return Err(misplaced("a storage", other)),
        }
        Ok(TensorNode {
            storage,
            offset: number(offset)?,
            shape: numbers(shape)?,
            strides: numbers(strides)?,
        })
    }
}

fn pairs(items: &[Id]) -> Result<Vec<(Id, Id)>, Fault> {
    match items.as_chunks() {
        (pairs, []) => Ok(pairs.iter().map(|[key, value]| (*key, *value)).collect()),
        _ => Err(Fault::damaged("a dictionary's key has no value")),
    }
}

fn utf8(bytes: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(bytes).map_err(|_| Fault::damaged("a text is not UTF-8"))
}

fn empty() -> Fault {
    Fault::damaged("its stack is empty")
}

fn misplaced(wanted: &str, found: &Node<'_>) -> Fault {
    let kind = match found {
        Node::Other => "something else",
        Node::Bool(_) => "a truth value",
        Node::Int(_) | Node::Long(_) => "a number",
        Node::Text(_) => "a text",
        Node::Tuple(_) => "a tuple",
        Node::List(_) => "a list",
        Node::Dict(_) => "a dictionary",
        Node::Global(_) => "a name",
        Node::Storage(_) => "a storage",
        Node::Tensor(_) => "a tensor",
    };
    Fault::damaged(format!("{wanted} is wanted where it has {kind}"))
}
