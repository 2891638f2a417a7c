//! What a command printed, compared with what the page says that it prints.
//!
//! In the page `...` alone on a line stands for any number of lines, `...` inside a line for any text.

/// A line of the comparison, as it is shown.
#[derive(Debug, PartialEq, Clone, Copy)]
enum Step {
    Same,
    /// The page has it, the output does not.
    Missing,
    /// The output has it, the page does not.
    Extra,
    /// A line that `...` stands for.
    Passed,
}

/// The differences, if there are any: `-` what the page says, `+` what was printed.
pub fn difference(expected: &[String], printed: &str) -> Option<String> {
    let printed: Vec<&str> = printed.lines().map(str::trim_end).collect();
    let printed = &printed[..printed.iter().rposition(|line| !line.is_empty()).map_or(0, |last| last + 1)];
    let steps = alignment(expected, printed);
    if steps.iter().all(|step| matches!(step, Step::Same | Step::Passed)) {
        return None;
    }
    Some(show(&steps, expected, printed))
}

/// The cheapest way from one to the other, by the textbook's table of distances.
fn alignment(expected: &[String], printed: &[&str]) -> Vec<Step> {
    let (rows, columns) = (expected.len(), printed.len());
    let mut cost = vec![vec![0u32; columns + 1]; rows + 1];
    for row in (0..=rows).rev() {
        for column in (0..=columns).rev() {
            cost[row][column] = match (row == rows, column == columns) {
                (true, _) => (columns - column) as u32,
                (false, true) => cost[row + 1][column] + u32::from(!is_gap(&expected[row])),
                (false, false) => {
                    let gap = is_gap(&expected[row]);
                    let same = !gap && fits(&expected[row], printed[column]);
                    let together = if same { cost[row + 1][column + 1] } else { u32::MAX };
                    let missing = cost[row + 1][column] + u32::from(!gap);
                    let extra = cost[row][column + 1] + u32::from(!gap);
                    together.min(missing).min(extra)
                }
            };
        }
    }
    let (mut row, mut column, mut steps) = (0, 0, Vec::new());
    while row < rows || column < columns {
        let gap = row < rows && is_gap(&expected[row]);
        let here = cost[row][column];
        if row < rows
            && column < columns
            && !gap
            && fits(&expected[row], printed[column])
            && here == cost[row + 1][column + 1]
        {
            steps.push(Step::Same);
            (row, column) = (row + 1, column + 1);
        } else if row < rows && here == cost[row + 1][column] + u32::from(!gap) {
            // A gap that ends takes no line of the output with it.
            if !gap {
                steps.push(Step::Missing);
            }
            row += 1;
        } else {
            steps.push(if gap { Step::Passed } else { Step::Extra });
            column += 1;
        }
    }
    steps
}

fn is_gap(line: &str) -> bool {
    line.trim() == "..."
}

/// Whether `line` is what `pattern` says, with `...` for any text.
fn fits(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split("...");
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn show(steps: &[Step], expected: &[String], printed: &[&str]) -> String {
    let mut expected = expected.iter().filter(|line| !is_gap(line));
    let mut printed = printed.iter();
    let mut text = String::new();
    for step in steps {
        let (mark, line) = match step {
            Step::Same => {
                expected.next();
                (' ', printed.next().copied())
            }
            Step::Missing => ('-', expected.next().map(String::as_str)),
            Step::Extra => ('+', printed.next().copied()),
            Step::Passed => (' ', printed.next().copied()),
        };
        text.push_str(&format!("    {mark} {}\n", line.unwrap_or_default()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diff(expected: &str, printed: &str) -> Option<String> {
        let expected: Vec<String> = expected.lines().map(str::to_owned).collect();
        difference(&expected, printed)
    }

    #[track_caller]
    fn same(expected: &str, printed: &str) {
        assert_eq!(diff(expected, printed), None);
    }

    #[test]
    fn lines_are_compared_one_by_one() {
        same("a\nb", "a\nb\n");
        same("a", "a   \n\n\n");
        same("", "");
        assert_eq!(diff("a\nb\nc", "a\nx\nc").unwrap(), "      a\n    - b\n    + x\n      c\n");
        assert_eq!(diff("", "a\n").unwrap(), "    + a\n");
        assert_eq!(diff("a", "").unwrap(), "    - a\n");
        assert!(diff("a b", "a  b").is_some());
    }

    #[test]
    fn dots_alone_stand_for_any_number_of_lines() {
        same("...", "");
        same("...", "a\nb\n");
        same("a\n...\nc", "a\nc\n");
        same("a\n...\nc", "a\nc\nb\nc\n");
        same("...\nc\n...", "a\nb\nc\n");
        assert_eq!(diff("a\n...\nc", "a\nb\n").unwrap(), "      a\n      b\n    - c\n");
        assert!(diff("...\nb", "b\na\n").is_some());
    }

    #[test]
    fn dots_in_a_line_stand_for_any_text() {
        same("took ... s", "took 1.25 s");
        same("a...", "abc");
        same("...c", "abc");
        same("a...b...c", "a1b2b3c");
        assert!(diff("took ... s", "took 1.25 ms").is_some());
        assert!(diff("ab...ba", "aba").is_some());
        same("wait...", "wait...");
    }
}
