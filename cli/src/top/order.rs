//! Orders the rows of a table by what they show.

use std::cmp::Ordering;

/// Compares two cells: numbers with their units by size, everything else as text. The unknown comes first.
pub(super) fn compare(one: &str, two: &str) -> Ordering {
    match (size(one), size(two)) {
        (Some(one), Some(two)) => one.total_cmp(&two),
        (Some(_), None) => Ordering::Greater,
        (None, Some(_)) => Ordering::Less,
        (None, None) => one.cmp(two),
    }
}

/// The number that a cell begins with, in the smallest common unit.
fn size(text: &str) -> Option<f64> {
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    let factor = match &text[end..] {
        "ms" => 1e-3,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        "kW" => 1e3,
        _ => 1.0,
    };
    Some(number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_ordered_by_size_in_whatever_unit() {
        let mut cells = vec!["2m", "45s", "-", "240ms", "3h", "1.2s"];
        cells.sort_by(|one, two| compare(one, two));
        assert_eq!(cells, ["-", "240ms", "1.2s", "45s", "2m", "3h"]);
        let mut cells = vec!["100%", "9%", "61%"];
        cells.sort_by(|one, two| compare(one, two));
        assert_eq!(cells, ["9%", "61%", "100%"]);
        let mut names = vec!["zone-b", "zone-a"];
        names.sort_by(|one, two| compare(one, two));
        assert_eq!(names, ["zone-a", "zone-b"]);
    }
}
