use crate::levels::Code;

/// The faults of one row: of each code the first, and how many more there are. A row with a thousand faults of one
/// kind gets one finding.
#[derive(Clone, Debug)]
pub struct RowFaults<F> {
    groups: Vec<Group<F>>,
}

/// All faults of one code in one row.
#[derive(Clone, Debug)]
pub(crate) struct Group<F> {
    pub code: Code,
    pub first: F,
    pub more: u64,
    /// Whether the row's proposed fix mends any of them.
    pub mended: bool,
}

impl<F> Default for RowFaults<F> {
    fn default() -> Self {
        Self { groups: Vec::new() }
    }
}

impl<F> RowFaults<F> {
    /// `mended` says whether the row's proposed fix mends this one.
    pub fn add(&mut self, code: Code, mended: bool, fault: F) {
        match self.groups.iter_mut().find(|group| group.code == code) {
            Some(group) => {
                group.more += 1;
                group.mended |= mended;
            }
            None => self.groups.push(Group { code, first: fault, more: 0, mended }),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Whether the row's proposed fix mends anything.
    pub fn mended(&self) -> bool {
        self.groups.iter().any(|group| group.mended)
    }

    /// The next row begins.
    pub fn clear(&mut self) {
        self.groups.clear();
    }

    pub(crate) fn groups(&self) -> &[Group<F>] {
        &self.groups
    }
}
