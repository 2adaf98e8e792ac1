//! A line of blocks that shows how a value went.

/// From low to high.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// `values`, oldest first, merged into at most `width` blocks between the lowest and the highest of them.
pub(crate) fn line(values: &[f64], width: usize) -> String {
    let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    if finite.is_empty() || width == 0 {
        return String::new();
    }
    let columns = finite.len().min(width);
    let means: Vec<f64> = (0..columns)
        .map(|column| {
            let (from, to) = (column * finite.len() / columns, (column + 1) * finite.len() / columns);
            finite[from..to].iter().sum::<f64>() / (to - from) as f64
        })
        .collect();
    let low = means.iter().copied().fold(f64::INFINITY, f64::min);
    let high = means.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let block = |value: &f64| {
        let height = if high > low { (value - low) / (high - low) } else { 0.0 };
        BLOCKS[(height * (BLOCKS.len() - 1) as f64).round() as usize]
    };
    means.iter().map(block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_and_the_highest_value_span_the_line() {
        assert_eq!(line(&[0.0, 50.0, 100.0], 10), "▁▅█");
        assert_eq!(line(&[5.0, 5.0], 10), "▁▁");
        assert_eq!(line(&[0.0, 0.0, 8.0, 8.0], 2), "▁█");
    }

    #[test]
    fn nothing_gives_an_empty_line() {
        assert_eq!(line(&[], 10), "");
        assert_eq!(line(&[f64::NAN], 10), "");
        assert_eq!(line(&[1.0], 0), "");
    }
}
