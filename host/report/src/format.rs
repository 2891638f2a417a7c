//! Numbers for people: thousands apart, no more digits than mean something.

/// `1,234,567`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 row`, `1,234 rows`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// `1 row`, `1,234 rows`.
pub fn rows(number: u64) -> String {
    counted(number, "row", "rows")
}

/// A change: `+1,234`, `−56`, `0`.
pub fn change(by: i128) -> String {
    let amount = count(u64::try_from(by.unsigned_abs()).unwrap_or(u64::MAX));
    match by {
        0 => amount,
        by if by < 0 => format!("\u{2212}{amount}"),
        _ => format!("+{amount}"),
    }
}

/// A share of 1 with one decimal; what is not nothing and not all never looks as if it were.
pub fn percent(share: f64) -> String {
    match share {
        share if !share.is_finite() => NONE.to_owned(),
        0.0 => "0%".to_owned(),
        1.0 => "100%".to_owned(),
        share if share > 0.0 && share < 0.0005 => "<0.1%".to_owned(),
        share if share > 0.9995 && share < 1.0 => ">99.9%".to_owned(),
        share => format!("{}%", decimal(share * 100.0, 1)),
    }
}

/// `part` of `whole`, as [`percent`].
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 { NONE.to_owned() } else { percent(part as f64 / whole as f64) }
}

/// `1,234.50` with a sign that is as wide as a digit.
pub fn decimal(number: f64, places: usize) -> String {
    if !number.is_finite() {
        return NONE.to_owned();
    }
    let rounded = format!("{:.places$}", number.abs());
    let (whole, fraction) = rounded.split_once('.').map_or((rounded.as_str(), None), |(w, f)| (w, Some(f)));
    // Too large for the grouping: then without.
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), count);
    let zero = rounded.bytes().all(|digit| matches!(digit, b'0' | b'.'));
    let sign = if number < 0.0 && !zero { "\u{2212}" } else { "" };
    match fraction {
        Some(fraction) => format!("{sign}{whole}.{fraction}"),
        None => format!("{sign}{whole}"),
    }
}

/// `0.02 s`, `12.3 s`, `3 min 05 s`, `2 h 04 min`.
pub fn seconds(seconds: f64) -> String {
    let whole = seconds.round();
    match seconds {
        seconds if !seconds.is_finite() || seconds < 0.0 => NONE.to_owned(),
        seconds if seconds < 0.01 => "<0.01 s".to_owned(),
        seconds if seconds < 1.0 => format!("{seconds:.2} s"),
        seconds if seconds < 59.95 => format!("{seconds:.1} s"),
        _ if whole < 3600.0 => format!("{} min {:02} s", (whole / 60.0) as u64, (whole % 60.0) as u64),
        _ => {
            let minutes = (seconds / 60.0).round() as u64;
            format!("{} h {:02} min", count(minutes / 60), minutes % 60)
        }
    }
}

/// Where there is no number.
pub const NONE: &str = "\u{2013}";

/// RFC 3339 without the letters: `2026-11-28 11:49 UTC`. Something else stays as it is.
pub fn moment(rfc3339: &str) -> String {
    let parts = rfc3339.split_once(['T', 't', ' ']).and_then(|(day, time)| {
        let minutes = time.get(..5)?;
        let zone = match time.find(['Z', 'z', '+', '-']).and_then(|at| time.get(at..))? {
            "Z" | "z" | "+00:00" | "-00:00" => "UTC",
            zone => zone,
        };
        Some(format!("{day} {minutes} {zone}"))
    });
    parts.unwrap_or_else(|| rfc3339.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart() {
        let told = [0, 7, 999, 1000, 12_345, 123_456, 1_234_567, u64::MAX].map(count);
        let expected =
            ["0", "7", "999", "1,000", "12,345", "123,456", "1,234,567", "18,446,744,073,709,551,615"];
        assert_eq!(told, expected);
        assert_eq!((rows(1), rows(2000)), ("1 row".to_owned(), "2,000 rows".to_owned()));
    }

    #[test]
    fn changes_have_a_sign() {
        assert_eq!([change(0), change(1200), change(-1200)], ["0", "+1,200", "\u{2212}1,200"]);
    }

    #[test]
    fn a_little_is_not_nothing_and_almost_all_is_not_all() {
        let shares = [0.0, 0.0001, 0.0005, 0.1234, 0.5, 0.9994, 0.9999, 1.0, f64::NAN].map(percent);
        assert_eq!(shares, ["0%", "<0.1%", "0.1%", "12.3%", "50.0%", "99.9%", ">99.9%", "100%", NONE]);
        assert_eq!((share(1, 4), share(0, 0)), ("25.0%".to_owned(), NONE.to_owned()));
    }

    #[test]
    fn decimals_have_as_many_places_as_asked() {
        assert_eq!(decimal(1234.5, 2), "1,234.50");
        assert_eq!(decimal(-0.25, 1), "\u{2212}0.2");
        assert_eq!(decimal(-0.001, 2), "0.00");
        assert_eq!(decimal(999.9996, 3), "1,000.000");
        assert_eq!(decimal(12.0, 0), "12");
        assert_eq!(decimal(f64::INFINITY, 1), NONE);
    }

    #[test]
    fn seconds_become_minutes_and_hours() {
        let told = [0.001, 0.25, 12.34, 59.97, 185.0, 3599.4, 7440.0, f64::NAN].map(seconds);
        let expected =
            ["<0.01 s", "0.25 s", "12.3 s", "1 min 00 s", "3 min 05 s", "59 min 59 s", "2 h 04 min", NONE];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_moment_reads_without_letters() {
        assert_eq!(moment("2026-11-28T11:49:20.5Z"), "2026-11-28 11:49 UTC");
        assert_eq!(moment("2026-11-28T11:49:20+01:00"), "2026-11-28 11:49 +01:00");
        assert_eq!(moment("yesterday"), "yesterday");
        assert_eq!(moment("2026-11-28Té"), "2026-11-28Té");
    }
}
