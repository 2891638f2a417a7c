//! Labelled texts that are read several times and never held.

/// Labelled texts in the order of their row numbers.
pub trait Rows {
    type Error: std::error::Error + Send + Sync + 'static;

    /// How many rows there are.
    fn len(&self) -> u32;

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives each row to `each`: its number, text, label and group (the number of the first row of the cluster of its
    /// near-duplicates, whether that row is among these or not; the row's own number where there are none). Every call
    /// gives the same rows in the same order; numbers ascend, and may have gaps.
    fn for_each(&self, each: &mut dyn FnMut(u32, &str, u32, u32)) -> Result<(), Self::Error>;

    /// The same without the texts, which may be had for less: number, label and group.
    fn for_each_label(&self, each: &mut dyn FnMut(u32, u32, u32)) -> Result<(), Self::Error> {
        self.for_each(&mut |row, _, label, group| each(row, label, group))
    }

    /// The texts of some rows, which ascend.
    fn texts(&self, rows: &[u32]) -> Result<Vec<String>, Self::Error> {
        let mut texts = Vec::with_capacity(rows.len());
        self.for_each(&mut |row, text, _, _| {
            if rows.binary_search(&row).is_ok() {
                texts.push(text.to_owned());
            }
        })?;
        Ok(texts)
    }
}

/// Rows that are in memory anyway: text, label, group.
#[derive(Clone, Copy, Debug)]
pub struct InMemory<'a>(pub &'a [(String, u32, u32)]);

impl Rows for InMemory<'_> {
    type Error = std::convert::Infallible;

    fn len(&self) -> u32 {
        self.0.len() as u32
    }

    fn for_each(&self, each: &mut dyn FnMut(u32, &str, u32, u32)) -> Result<(), Self::Error> {
        for (row, (text, label, group)) in self.0.iter().enumerate() {
            each(row as u32, text, *label, *group);
        }
        Ok(())
    }
}
