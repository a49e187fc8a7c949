//! Days of the calendar.

use chrono::NaiveDate;
use sqlx::PgConnection;

use super::super::store::{dimensions, last_of_each};
use super::keys::DayKey;
use super::{Record, Rejection, optional_text};
use crate::http::fields::{self, Fields};

/// A day. Weekday, month, quarter and year follow from the date and are not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CalendarDay {
    pub(crate) date: NaiveDate,
    pub(crate) is_holiday: bool,
    pub(crate) holiday_name: Option<String>,
}

impl Record for CalendarDay {
    const REQUIRED: &'static [&'static str] = &["date"];
    type Key = DayKey;

    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let date = fields.required("date", fields::date);
        let is_holiday = fields.nullable("is_holiday", fields::lax_flag);
        let holiday_name = optional_text(fields, "holiday_name", 100);
        Some(Self { date: date?, is_holiday: is_holiday.unwrap_or(false), holiday_name })
    }

    fn key(&self) -> DayKey {
        DayKey { date: self.date }
    }

    async fn write(
        connection: &mut PgConnection,
        rows: &[Self],
        batch: usize,
    ) -> sqlx::Result<Vec<Rejection>> {
        let rows = last_of_each(rows.iter().collect(), |a: &&Self, b| a.date.cmp(&b.date));
        for rows in rows.chunks(batch) {
            dimensions::upsert_calendar(connection, rows).await?;
        }
        Ok(Vec::new())
    }
}
