/// The text that is left, with the lines that markup makes.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    text: String,
    due: Due,
}

/// What comes before the next text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
enum Due {
    #[default]
    Nothing,
    Space,
    Line,
    Item,
}

impl Lines {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), due: Due::Nothing }
    }

    pub(crate) fn push(&mut self, text: &str) {
        let text = if self.due >= Due::Line { text.trim_start() } else { text };
        if text.is_empty() {
            return;
        }
        match std::mem::take(&mut self.due) {
            Due::Nothing => {}
            Due::Space => {
                let apart = self.text.is_empty()
                    || self.text.ends_with(char::is_whitespace)
                    || text.starts_with(char::is_whitespace);
                if !apart {
                    self.text.push(' ');
                }
            }
            due => {
                self.text.truncate(self.text.trim_end().len());
                if !self.text.is_empty() {
                    self.text.push('\n');
                }
                if due == Due::Item {
                    self.text.push_str("- ");
                }
            }
        }
        self.text.push_str(text);
    }

    /// The next text stands apart from what is there.
    pub(crate) fn space(&mut self) {
        self.due = self.due.max(Due::Space);
    }

    /// The next text begins a line.
    pub(crate) fn line(&mut self) {
        self.due = self.due.max(Due::Line);
    }

    /// The next text begins an item of a list.
    pub(crate) fn item(&mut self) {
        self.due = Due::Item;
    }

    /// An item ends, even if it was empty.
    pub(crate) fn end_item(&mut self) {
        self.due = Due::Line;
    }

    /// The text, without white space at its ends.
    pub(crate) fn finish(mut self) -> String {
        self.text.truncate(self.text.trim_end().len());
        let leading = self.text.len() - self.text.trim_start().len();
        self.text.drain(..leading);
        self.text
    }

    /// The text as it is.
    pub(crate) fn finish_untrimmed(self) -> String {
        self.text
    }
}
