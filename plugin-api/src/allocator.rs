//! The allocator of components. A batch of records crosses as two allocations a value, each asked for by the host on
//! its own and freed by the plugin, so that the standard library's allocator (dlmalloc) takes longer over a short text
//! than most cleaners. Here a small block comes from the list of free blocks of its size and goes back there.
//!
//! What is never done: blocks of one size do not become blocks of another. A plugin holds, for each size, the most that
//! it ever needed at once.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ptr::null_mut;

/// Sizes are multiples of this, and so are addresses.
const GRAIN: usize = 16;
/// Up to here each multiple is a size of its own, beyond it four sizes stand between a power of two and the next.
const FINE: usize = 128;
/// The largest block that is not the standard library's business.
const LARGEST: usize = 8192;
const SIZES: usize = FINE / GRAIN + 4 * (LARGEST / FINE).ilog2() as usize;
/// What is asked of the standard library at once, to be cut up.
const SLAB: usize = 64 << 10;

/// Blocks of [`SIZES`] sizes; what is larger is left to the standard library.
pub struct Allocator(UnsafeCell<State>);

struct State {
    /// For each size, the first free block; each block's first word points to the next.
    free: [*mut Free; SIZES],
    /// What is left of the last slab.
    rest: *mut u8,
    rest_size: usize,
}

struct Free {
    next: *mut Free,
}

// SAFETY: a component has one thread.
#[cfg(target_arch = "wasm32")]
unsafe impl Sync for Allocator {}

impl Allocator {
    pub const fn new() -> Self {
        Self(UnsafeCell::new(State { free: [null_mut(); SIZES], rest: null_mut(), rest_size: 0 }))
    }
}

impl Default for Allocator {
    fn default() -> Self {
        Self::new()
    }
}

/// The place of the size that fits `layout`; none if it is too large, or its address must be rounder than ours are.
#[inline]
fn size_of(layout: Layout) -> Option<usize> {
    let size = layout.size();
    if layout.align() > GRAIN || size > LARGEST {
        return None;
    }
    // The highest 1 says between which powers of two it lies, the two bits after it in which quarter.
    let last = size.saturating_sub(1);
    Some(match size {
        0..=FINE => last / GRAIN,
        _ => {
            let power = last.ilog2() as usize;
            FINE / GRAIN + 4 * (power - FINE.ilog2() as usize) + (last >> (power - 2)) % 4
        }
    })
}

/// Bytes of the blocks at a place.
#[inline]
fn bytes(place: usize) -> usize {
    match place.checked_sub(FINE / GRAIN) {
        None => (place + 1) * GRAIN,
        Some(coarse) => (5 + coarse % 4) << (FINE.ilog2() as usize - 2 + coarse / 4),
    }
}

impl State {
    /// A block that nobody had before; null if there is no memory.
    #[cold]
    fn cut(&mut self, size: usize) -> *mut u8 {
        if self.rest_size < size {
            let slab = Layout::from_size_align(SLAB, GRAIN);
            // SAFETY: a slab has a size.
            let slab = slab.map_or(null_mut(), |slab| unsafe { System.alloc(slab) });
            if slab.is_null() {
                return slab;
            }
            (self.rest, self.rest_size) = (slab, SLAB);
        }
        let block = self.rest;
        // SAFETY: the slab goes on for `rest_size` bytes, which are no fewer.
        self.rest = unsafe { block.add(size) };
        self.rest_size -= size;
        block
    }
}

// SAFETY: a block is handed out once until it is freed; it is as large as its layout asks, or larger, and begins at a
// multiple of `GRAIN`. A layout gives the same size when the block is freed.
unsafe impl GlobalAlloc for Allocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(place) = size_of(layout) else {
            // SAFETY: the caller's promises are those of `System`.
            return unsafe { System.alloc(layout) };
        };
        // SAFETY: one thread, and nothing in here allocates from it; a free block is nobody's, and large enough for a
        // pointer.
        unsafe {
            let state = &mut *self.0.get();
            let block = state.free[place];
            if block.is_null() {
                return state.cut(bytes(place));
            }
            state.free[place] = (*block).next;
            block.cast()
        }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let Some(place) = size_of(layout) else {
            // SAFETY: the caller's promises are those of `System`.
            return unsafe { System.dealloc(block, layout) };
        };
        // SAFETY: as above; the block is nobody's from here on.
        unsafe {
            let state = &mut *self.0.get();
            let block: *mut Free = block.cast();
            block.write(Free { next: state.free[place] });
            state.free[place] = block;
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller promises that the new size is one of a layout.
        let wanted = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        match (size_of(layout), size_of(wanted)) {
            (None, None) => {
                // SAFETY: the caller's promises are those of `System`.
                unsafe { System.realloc(block, layout, new_size) }
            }
            (Some(old), Some(new)) if old == new => block,
            _ => {
                // SAFETY: both blocks hold the smaller of the two sizes, and the old one is freed once.
                unsafe {
                    let other = self.alloc(wanted);
                    if !other.is_null() {
                        other.copy_from_nonoverlapping(block, layout.size().min(new_size));
                        self.dealloc(block, layout);
                    }
                    other
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    #[test]
    fn every_size_fits_and_wastes_little() {
        let mut places = std::collections::BTreeSet::new();
        for size in 1..=LARGEST {
            let place = size_of(layout(size, 1)).unwrap();
            assert!(bytes(place) >= size, "{size} in {}", bytes(place));
            assert!(bytes(place) < size + GRAIN.max(size / 4), "{size} in {}", bytes(place));
            assert_eq!(bytes(place) % GRAIN, 0);
            places.insert(place);
        }
        assert!(places.into_iter().eq(0..SIZES));
        assert_eq!(size_of(layout(LARGEST + 1, 1)), None);
        assert_eq!(size_of(layout(16, 32)), None);
    }

    #[test]
    fn blocks_keep_what_is_written_and_are_used_again() {
        let allocator = Allocator::new();
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        let mut below = |limit: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % limit
        };
        let mut held: Vec<(*mut u8, Layout, u8)> = Vec::new();
        let whole = |&(block, layout, mark): &(*mut u8, Layout, u8)| {
            // SAFETY: the block is ours, and was filled.
            let bytes = unsafe { std::slice::from_raw_parts(block, layout.size()) };
            bytes.iter().all(|byte| *byte == mark)
        };
        for step in 0..200_000_u64 {
            let mark = step as u8;
            let bits = 1 + below(14);
            let size = 1 + below(1 << bits) as usize;
            match below(5) {
                0 | 1 => {
                    let layout = layout(size, 1 << below(6));
                    // SAFETY: the layout has a size, and the block gets as many bytes.
                    unsafe {
                        let block = allocator.alloc(layout);
                        assert_eq!(block as usize % layout.align(), 0);
                        block.write_bytes(mark, size);
                        held.push((block, layout, mark));
                    }
                }
                2 if !held.is_empty() => {
                    let (block, old, mark) = held.swap_remove(below(held.len() as u64) as usize);
                    assert!(whole(&(block, old, mark)));
                    let new = layout(size, old.align());
                    // SAFETY: the block came with this layout.
                    unsafe {
                        let block = allocator.realloc(block, old, size);
                        assert!(whole(&(block, layout(size.min(old.size()), 1), mark)));
                        block.write_bytes(mark, size);
                        held.push((block, new, mark));
                    }
                }
                _ if !held.is_empty() => {
                    let block = held.swap_remove(below(held.len() as u64) as usize);
                    assert!(whole(&block));
                    // SAFETY: the block came with this layout.
                    unsafe { allocator.dealloc(block.0, block.1) };
                }
                _ => {}
            }
        }
        assert!(held.iter().all(whole));
        // What was freed last comes first.
        let small = layout(40, 8);
        // SAFETY: as above.
        unsafe {
            let block = allocator.alloc(small);
            allocator.dealloc(block, small);
            assert_eq!(allocator.alloc(layout(48, 1)), block);
        }
    }
}
