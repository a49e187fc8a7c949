//! From the host's feature columns to those of the regression.

use retailcast_sdk::Feature;

/// What a feature becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Units sold: ln(1 + x), as the target.
    Units,
    /// A factor on the price: ln x, so that its weight is the elasticity of demand.
    Factor,
    /// 0 to 6: one column per day but Monday, 1 on that day. With all seven, which add up to a constant, the descent would
    /// take hundreds of times as many sweeps.
    Weekday,
    /// As it is.
    Plain,
}

/// The features, in the order in which they are asked for.
const FEATURES: [(Feature, Form); 13] = [
    (Feature::Lag(1), Form::Units),
    (Feature::Lag(7), Form::Units),
    (Feature::Lag(14), Form::Units),
    (Feature::Lag(28), Form::Units),
    (Feature::RollingMean(7), Form::Units),
    (Feature::RollingMean(28), Form::Units),
    (Feature::DayOfWeek, Form::Weekday),
    (Feature::MonthSin, Form::Plain),
    (Feature::MonthCos, Form::Plain),
    (Feature::IsMonthEnd, Form::Plain),
    (Feature::PriceFactor, Form::Factor),
    (Feature::PromoActive, Form::Plain),
    (Feature::IsHoliday, Form::Plain),
];

/// What the host is asked for.
pub(crate) fn features() -> Vec<Feature> {
    FEATURES.iter().map(|(feature, _)| *feature).collect()
}

/// How many there are.
pub(crate) const FEATURE_COUNT: usize = FEATURES.len();

/// How many columns become of them: the weekday becomes six.
pub(crate) const COLUMN_COUNT: usize = FEATURE_COUNT + 5;

/// The columns of the regression, made of the columns of [`features`].
pub(crate) fn columns(raw: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut columns = Vec::new();
    for ((_, form), cells) in FEATURES.iter().zip(raw) {
        let each = |change: fn(f64) -> f64| cells.iter().map(|x| change(*x)).collect::<Vec<f64>>();
        match form {
            Form::Units => columns.push(each(log_units)),
            Form::Factor => columns.push(each(log_factor)),
            Form::Plain => columns.push(cells.clone()),
            Form::Weekday => columns.extend((1..7_u8).map(|day| {
                cells.iter().map(|x| f64::from(u8::from((x - f64::from(day)).abs() < 0.5))).collect()
            })),
        }
    }
    columns
}

/// ln(1 + units); returns count as nothing sold, missing stays missing.
pub(crate) fn log_units(units: f64) -> f64 {
    if units < 0.0 { 0.0 } else { units.ln_1p() }
}

/// ln of a price factor, missing without a price.
fn log_factor(factor: f64) -> f64 {
    if factor > 0.0 { factor.ln() } else { f64::NAN }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_column_per_weekday_and_logarithms_of_units_and_price() {
        let mut raw = vec![vec![0.0, 0.0]; FEATURE_COUNT];
        raw[0] = vec![f64::NAN, 1.0_f64.exp_m1()];
        raw[6] = vec![0.0, 6.0];
        raw[10] = vec![0.0, 1.0_f64.exp()];
        let columns = columns(&raw);
        assert_eq!(columns.len(), COLUMN_COUNT);
        assert!(columns[0][0].is_nan() && (columns[0][1] - 1.0).abs() < 1e-12);
        let row = |row: usize| (6..12).map(|column| columns[column][row]).collect::<Vec<f64>>();
        assert_eq!(row(0), [0.0; 6], "a Monday");
        assert_eq!(row(1), [0.0, 0.0, 0.0, 0.0, 0.0, 1.0], "a Sunday");
        assert!(columns[15][0].is_nan() && (columns[15][1] - 1.0).abs() < 1e-12);
    }

    #[test]
    fn returns_count_as_nothing_sold() {
        assert_eq!(log_units(-5.0).to_bits(), 0.0_f64.to_bits());
    }
}
