//! The sums that every metric is made of, and exact decimals from them.

use std::ops::AddAssign;

/// Sums over rows of sales.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sums {
    /// Rows.
    pub rows: i64,
    /// Sum of `quantity`.
    pub units: i64,
    /// Sum of `total_amount`, in hundredths.
    pub cents: i128,
}

impl AddAssign for Sums {
    fn add_assign(&mut self, other: Self) {
        self.rows += other.rows;
        self.units += other.units;
        self.cents += other.cents;
    }
}

impl Sums {
    /// Revenue; `"0"` when there are no rows.
    pub fn revenue(&self) -> String {
        if self.rows == 0 { "0".to_owned() } else { hundredths(self.cents) }
    }

    /// Revenue per unit.
    pub fn per_unit(&self) -> Option<String> {
        (self.units > 0).then(|| quotient(self.cents, i128::from(self.units) * 100))
    }

    /// Revenue per row.
    pub fn per_row(&self) -> Option<String> {
        (self.rows > 0).then(|| quotient(self.cents, i128::from(self.rows) * 100))
    }

    /// This revenue as a share of `total` cents, in percent with two decimals, half to even.
    pub fn share(&self, total: i128) -> String {
        if total == 0 {
            return hundredths(0);
        }
        let exact = self.cents * 10_000;
        hundredths(exact / total + i128::from(rounds_up(exact / total, exact % total, total)))
    }
}

fn hundredths(value: i128) -> String {
    format!("{}.{:02}", value / 100, value % 100)
}

/// Half to even: whether `last`, with this remainder of a division, becomes one more.
fn rounds_up(last: i128, remainder: i128, divisor: i128) -> bool {
    match (remainder * 2).cmp(&divisor) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => last % 2 == 1,
        std::cmp::Ordering::Greater => true,
    }
}

/// Most significant digits of a quotient.
const DIGITS: usize = 28;

/// `dividend / divisor` of a non-negative and a positive number: exact if 28 significant digits suffice, otherwise
/// rounded half to even to as many; at least two decimals.
///
/// By hand and not with a decimal type: those round the sum before they divide, or stop at other digits.
fn quotient(dividend: i128, divisor: i128) -> String {
    let whole = (dividend / divisor).to_string();
    let mut remainder = dividend % divisor;
    let mut digits: Vec<u8> = whole.bytes().map(|b| b - b'0').collect();
    let mut decimals = 0;
    let significant = |digits: &[u8]| digits.len() - digits.iter().take_while(|d| **d == 0).count();
    while remainder != 0 && significant(&digits) < DIGITS {
        remainder *= 10;
        digits.push((remainder / divisor) as u8);
        remainder %= divisor;
        decimals += 1;
    }
    if rounds_up(i128::from(digits.last().copied().unwrap_or(0)), remainder, divisor) {
        increment(&mut digits);
    }
    if decimals < 2 {
        digits.resize(digits.len() + 2 - decimals, 0);
        decimals = 2;
    }
    let text: String = digits.iter().map(|digit| char::from(b'0' + digit)).collect();
    let (whole, fraction) = text.split_at(text.len() - decimals);
    format!("{whole}.{fraction}")
}

/// Adds one to the last of some decimal digits.
fn increment(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        if *digit < 9 {
            *digit += 1;
            return;
        }
        *digit = 0;
    }
    digits.insert(0, 1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quotients_of_the_contract() {
        for (dividend, divisor, expected) in [
            (1_000, 100, "10.00"),
            (12_345, 1_000, "12.345"),
            (10_000, 300, "33.33333333333333333333333333"),
            (20_000, 300, "66.66666666666666666666666667"),
            (100, 300, "0.3333333333333333333333333333"),
            (1, 300, "0.003333333333333333333333333333"),
            (5_400, 1_600, "3.375"),
            (0, 700, "0.00"),
            (1, 100, "0.01"),
            (250, 100, "2.50"),
            // 0.9999… needs a carry into a digit that is not there yet.
            (
                9_999_999_999_999_999_999_999_999_999,
                10_000_000_000_000_000_000_000_000_000,
                "0.9999999999999999999999999999",
            ),
        ] {
            assert_eq!(quotient(dividend, divisor), expected, "{dividend} / {divisor}");
        }
        let mut digits = vec![9, 9];
        increment(&mut digits);
        assert_eq!(digits, [1, 0, 0]);
    }

    #[test]
    fn shares_round_half_to_even() {
        let share = |cents, total| Sums { rows: 1, units: 0, cents }.share(total);
        assert_eq!(share(1_250, 2_000), "62.50");
        assert_eq!(share(1, 3), "33.33");
        assert_eq!(share(2, 3), "66.67");
        // 0.125 % and 0.375 %.
        assert_eq!(share(1, 800), "0.12");
        assert_eq!(share(3, 800), "0.38");
        assert_eq!(share(7, 7), "100.00");
        assert_eq!(share(0, 0), "0.00");
    }

    #[test]
    fn nothing_selected() {
        let none = Sums::default();
        assert_eq!((none.revenue().as_str(), none.per_unit(), none.per_row()), ("0", None, None));
        let free = Sums { rows: 2, units: 0, cents: 0 };
        assert_eq!(
            (free.revenue().as_str(), free.per_unit(), free.per_row()),
            ("0.00", None, Some("0.00".into()))
        );
    }

    proptest! {
        /// The largest sums that a window of two years can have.
        #[test]
        fn quotients_are_exact_to_28_digits(cents in 0_i128..1_000_000_000_000_000_000_000, count in 1_i128..10_000_000_000_000_000) {
            let text = quotient(cents, count * 100);
            let (whole, fraction) = text.split_once('.').unwrap();
            prop_assert!(fraction.len() >= 2);
            let significant = format!("{whole}{fraction}").trim_start_matches('0').len();
            prop_assert!(significant <= DIGITS, "{text}");
            // Near enough in floating point; the digits beyond are tested above.
            let expected = cents as f64 / 100.0 / count as f64;
            let found: f64 = text.parse().unwrap();
            prop_assert!((found - expected).abs() <= expected.abs() * 1e-12, "{text} {expected}");
        }
    }
}
