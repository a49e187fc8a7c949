//! What was sold in the test windows, and how hard each series is to forecast.

use retailcast_core::backtest::{Scale, Window};
use retailcast_core::{MissingDays, Series};

use crate::slices::forecasting::portfolio::PortfolioSeries;

/// Days of a season of scaled errors.
const SEASON: usize = 7;

/// One series in all windows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Truth {
    /// One per window.
    pub(super) windows: Vec<WindowTruth>,
}

/// One series in one window.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct WindowTruth {
    /// What was sold per day. NaN: nothing is on record of the day, and nothing is scored.
    pub(super) actual: Vec<f64>,
    /// What scaled errors are relative to.
    pub(super) scale: Scale,
}

impl Truth {
    /// Days without a row are zero sales if the policy says so; otherwise they are not scored.
    pub(super) fn of(series: &PortfolioSeries, windows: &[Window], policy: MissingDays) -> Self {
        let rows = &series.rows;
        let known_to = |day| rows.partition_point(|row| row.day <= day);
        let actual = |window: &Window| {
            let horizon = (window.test_end - window.origin) as usize;
            let mut actual = vec![if policy == MissingDays::Zero { 0.0 } else { f64::NAN }; horizon];
            for row in &rows[known_to(window.origin)..known_to(window.test_end)] {
                actual[(row.day - window.test_start()) as usize] = row.quantity;
            }
            actual
        };
        let scales = Self::scales(series, windows, policy);
        let windows = windows.iter().zip(scales);
        Self {
            windows: windows.map(|(window, scale)| WindowTruth { actual: actual(window), scale }).collect(),
        }
    }

    /// Over everything before each window, as far back as there are rows.
    fn scales(series: &PortfolioSeries, windows: &[Window], policy: MissingDays) -> Vec<Scale> {
        let unknown = vec![Scale { absolute: f64::NAN, squared: f64::NAN }; windows.len()];
        let Some(last) = windows.last().map(|window| window.origin) else { return unknown };
        let rows = &series.rows[..series.rows.partition_point(|row| row.day <= last)];
        let Ok(known) = Series::build(rows, last, policy) else { return unknown };
        let ends: Vec<usize> =
            windows.iter().map(|window| known.days.partition_point(|day| *day <= window.origin)).collect();
        Scale::of_prefixes(&known.quantity, SEASON, &ends)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slices::forecasting::portfolio::SeriesKey;
    use retailcast_core::backtest::{WindowConfig, windows};
    use retailcast_core::frame::Exogenous;
    use retailcast_core::{Day, Observation};

    fn series(days: &[i32]) -> PortfolioSeries {
        let row = |d: &i32| Observation { day: Day(*d), quantity: f64::from(*d), unit_price: 1.0 };
        let key = SeriesKey {
            store_id: 1,
            product_id: 1,
            store_code: "A".to_owned(),
            sku: "B".to_owned(),
            category: None,
            launch: None,
        };
        PortfolioSeries { key, rows: days.iter().map(row).collect(), exogenous: Exogenous::default() }
    }

    #[test]
    fn days_without_a_row_by_policy() {
        let config = WindowConfig { n_windows: 2, horizon: 3, step: 3, train_days: None };
        let cut = windows(Day(20), &config);
        let days = series(&[5, 15, 16, 18, 20]);
        let zero = Truth::of(&days, &cut, MissingDays::Zero);
        assert_eq!(zero.windows[0].actual, [15.0, 16.0, 0.0]);
        assert_eq!(zero.windows[1].actual, [18.0, 0.0, 20.0]);
        // 5 to 14: the days 12, 13, 14 less 5, 6, 7, of which only 5 sold.
        assert!((zero.windows[0].scale.absolute - 5.0 / 3.0).abs() < 1e-12);
        let skip = Truth::of(&days, &cut, MissingDays::Skip);
        assert!(skip.windows[1].actual[1].is_nan() && skip.windows[0].scale.absolute.is_nan());
    }
}
