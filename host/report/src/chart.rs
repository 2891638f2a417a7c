//! Drawings. Places are shares of the width, so that a drawing fills what there is and its letters keep their size.

use maud::{Markup, html};
use pegbox_annotations::agreement::Estimate;
use pegbox_data::LengthReport;

use crate::format::{count, decimal, rows};

/// A piece of a bar.
pub struct Piece {
    pub rows: u64,
    /// Names its colour: see `style.css`.
    pub class: &'static str,
    pub name: &'static str,
}

/// A bar of `value` where `most` is the whole width. The number stands beside it.
pub fn bar(value: f64, most: f64) -> Markup {
    html! {
        svg.bar aria-hidden="true" focusable="false" {
            rect.all width="100%" height="100%" {}
            rect.value width=(width(value, most)) height="100%" {}
        }
    }
}

/// Pieces one after the other, where `most` is the whole width. The numbers stand beside it.
pub fn stacked(pieces: &[Piece], most: u64) -> Markup {
    let starts = pieces.iter().scan(0, |end, piece| {
        let start = *end;
        *end += piece.rows;
        Some(start)
    });
    html! {
        svg.bar aria-hidden="true" focusable="false" {
            rect.all width="100%" height="100%" {}
            @for (piece, start) in pieces.iter().zip(starts).filter(|(piece, _)| piece.rows > 0) {
                rect class=(piece.class) x=(width(start as f64, most as f64))
                    width=(width(piece.rows as f64, most as f64)) height="100%" {
                    title { (piece.name) ": " (count(piece.rows)) }
                }
            }
        }
    }
}

/// A statistic with its interval on a scale from `low` to 1, with lines where custom sees bounds.
pub fn interval(estimate: &Estimate, low: f64, bounds: &[f64]) -> Markup {
    let place = |value: f64| width(value - low, 1.0 - low);
    html! {
        svg.interval aria-hidden="true" focusable="false" {
            line.axis x1="0" x2="100%" y1="50%" y2="50%" {}
            @for bound in bounds {
                line.bound x1=(place(*bound)) x2=(place(*bound)) y1="0" y2="100%" {}
            }
            @if let (Some(from), Some(to)) = (estimate.low, estimate.high) {
                line.range x1=(place(from)) x2=(place(to)) y1="50%" y2="50%" {}
            }
            @if let Some(value) = estimate.value {
                circle.value cx=(place(value)) cy="50%" r="4" {}
            }
        }
    }
}

/// Height of the histogram's bars, in pixels.
const HEIGHT: f64 = 150.0;
/// Room above them for the name of the line, below them for the axis.
const ABOVE: f64 = 22.0;
const BELOW: f64 = 34.0;

/// The histogram of lengths, with the maximum length where it cuts. The last bar may be wider than the others: then
/// it holds the tail.
pub fn histogram(lengths: &LengthReport) -> Markup {
    let bars = &lengths.histogram;
    let most = bars.iter().map(|(.., rows)| *rows).max().unwrap_or(0);
    let number = bars.len().max(1) as f64;
    let base = ABOVE + HEIGHT;
    let height = |rows: u64| if most == 0 { 0.0 } else { rows as f64 / most as f64 * HEIGHT };
    // About six numbers, whatever the number of bars.
    let every = bars.len().div_ceil(6).max(1);
    let cut = cut_place(bars, lengths.max_length);
    let tail = tail(bars);
    html! {
        svg.histogram role="img" aria-labelledby="lengths-title lengths-description" height=(pixels(base + BELOW)) {
            title #lengths-title { "Training rows by length in tokens" }
            desc #lengths-description {
                "From " (count(lengths.min as u64)) " to " (count(lengths.max as u64)) " tokens; half of the rows have "
                (count(lengths.p50 as u64)) " or fewer, 99% have " (count(lengths.p99 as u64))
                " or fewer. The maximum length is " (count(lengths.max_length.into())) "."
            }
            line.axis x1="0" x2="100%" y1=(pixels(base)) y2=(pixels(base)) {}
            @for (place, (from, to, rows_of)) in bars.iter().enumerate() {
                @let over = lengths.max_length > 0 && *from > lengths.max_length;
                @let x = place as f64 / number;
                rect .bin .over[over] x=(percentage(x)) width=(percentage(0.94 / number))
                    y=(pixels(base - height(*rows_of))) height=(pixels(height(*rows_of))) {
                    title { (count((*from).into())) " to " (count((*to).into())) " tokens: " (rows(*rows_of)) }
                }
                @if tail == Some(place) {
                    text.tick x="100%" y=(pixels(base + 15.0)) text-anchor="end" {
                        (count((*from).into())) " to " (count((*to).into()))
                    }
                } @else if place.is_multiple_of(every) && tail.is_none_or(|tail| place + 1 < tail) {
                    text.tick x=(percentage(x)) y=(pixels(base + 15.0)) { (count((*from).into())) }
                }
            }
            text.tick x="100%" y=(pixels(base + 31.0)) text-anchor="end" { "tokens" }
            text.tick x="0" y=(pixels(base + 31.0)) { "highest bar: " (rows(most)) }
            @if let Some(cut) = cut {
                line.cut x1=(percentage(cut)) x2=(percentage(cut)) y1="0" y2=(pixels(base)) {}
                text.cut x=(percentage(cut)) dx=(if cut > 0.6 { "-6" } else { "6" }) y="13"
                    text-anchor=(if cut > 0.6 { "end" } else { "start" }) {
                    "max-length " (count(lengths.max_length.into()))
                }
            }
        }
    }
}

/// The last bar, if it is wider than the others.
fn tail(bars: &[(u32, u32, u64)]) -> Option<usize> {
    let width = |(from, to, _): &(u32, u32, u64)| to.saturating_sub(*from);
    let (first, last) = (bars.first()?, bars.last()?);
    (width(last) > width(first)).then_some(bars.len() - 1)
}

/// Where the maximum length lies, as a share of the width; none beyond the last bar.
fn cut_place(bars: &[(u32, u32, u64)], max_length: u32) -> Option<f64> {
    let place = bars.iter().position(|(from, to, _)| (*from..=*to).contains(&max_length))?;
    let (from, to, _) = bars.get(place)?;
    // A row of exactly this length is whole.
    let inside = (f64::from(max_length) - f64::from(*from) + 1.0) / (f64::from(*to) - f64::from(*from) + 1.0);
    Some((place as f64 + inside) / bars.len() as f64)
}

/// `value` with its interval, as text: `0.652 [0.631, 0.672]`.
pub fn estimate(estimate: &Estimate) -> (String, String) {
    let value = estimate.value.map_or(crate::format::NONE.to_owned(), |value| decimal(value, 3));
    let range = match (estimate.low, estimate.high) {
        (Some(low), Some(high)) => format!("{} to {}", decimal(low, 3), decimal(high, 3)),
        _ => crate::format::NONE.to_owned(),
    };
    (value, range)
}

fn width(value: f64, most: f64) -> String {
    percentage(if most > 0.0 && value.is_finite() { value / most } else { 0.0 })
}

fn percentage(share: f64) -> String {
    format!("{:.2}%", share.clamp(0.0, 1.0) * 100.0)
}

fn pixels(length: f64) -> String {
    format!("{length:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_never_leave_their_frame() {
        assert!(bar(5.0, 2.0).into_string().contains("width=\"100.00%\" height=\"100%\"></rect></svg>"));
        assert!(bar(f64::NAN, 0.0).into_string().contains("width=\"0.00%\""));
    }

    #[test]
    fn pieces_follow_each_other() {
        let piece = |rows, class| Piece { rows, class, name: "x" };
        let drawn = stacked(&[piece(1, "train"), piece(0, "test"), piece(3, "validation")], 4).into_string();
        assert!(drawn.contains("class=\"train\" x=\"0.00%\" width=\"25.00%\""), "{drawn}");
        assert!(drawn.contains("class=\"validation\" x=\"25.00%\" width=\"75.00%\""), "{drawn}");
        assert!(!drawn.contains("class=\"test\""), "{drawn}");
    }

    #[test]
    fn the_cut_lies_behind_the_last_whole_row() {
        let bars = [(0, 9, 5), (10, 19, 5), (20, 119, 1)];
        assert_eq!(cut_place(&bars, 9), Some(1.0 / 3.0));
        assert_eq!(cut_place(&bars, 14), Some(0.5));
        assert_eq!(cut_place(&bars, 69), Some(2.5 / 3.0));
        assert_eq!(cut_place(&bars, 128), None);
        assert_eq!((tail(&bars), tail(&bars[..2]), tail(&[])), (Some(2), None, None));
    }
}
