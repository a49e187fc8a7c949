//! Reads one series and what is known beside it, for training and for backtests alike.

use retailcast_core::frame::Exogenous;
use retailcast_core::{Day, Series};

use super::error::ForecastError;
use super::panel::History;
use super::service::Forecasting;
use super::store::{self, Pair};

/// Which days of which series, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeriesWindow {
    /// The series.
    pub store_id: i32,
    /// The series.
    pub product_id: i32,
    /// First day.
    pub start: Day,
    /// Last day.
    pub end: Day,
}

/// A hundred years: filled days cost memory, and a mistyped year asks for millions of them.
pub(super) const LONGEST_WINDOW: i32 = 36_525;

impl Forecasting {
    /// The series of the window by the policy for missing days and, for models that read a table, what is known beside
    /// it.
    pub async fn history(
        &self,
        window: SeriesWindow,
        with_exogenous: bool,
    ) -> Result<History, ForecastError> {
        let pair = Pair { store_id: window.store_id, product_id: window.product_id };
        let rows = store::observations(&self.pool, pair, window.start, window.end).await?;
        let first = rows.first().ok_or(ForecastError::NoRows(window))?.day;
        if window.end - first >= LONGEST_WINDOW {
            return Err(ForecastError::Window { first, end: window.end });
        }
        let series = Series::build(&rows, window.end, self.settings.missing_days)?;
        let exogenous = if with_exogenous {
            self.exogenous(pair, first, window.end).await?.0
        } else {
            Exogenous::default()
        };
        Ok(History { series, exogenous })
    }

    /// Promotions and holidays of a span, what does not change, and how many of its days the calendar knows.
    pub(super) async fn exogenous(
        &self,
        pair: Pair,
        from: Day,
        to: Day,
    ) -> Result<(Exogenous, usize), ForecastError> {
        let promotions = store::promotions(&self.pool, pair, from, to).await?;
        let calendar = store::calendar(&self.pool, from, to).await?;
        let statics = store::statics(&self.pool, pair).await?;
        Ok((Exogenous { promotions, holidays: calendar.holidays, statics }, calendar.known))
    }
}
