//! The calendar: one row per day, made of files that may have one per day and store.

use std::collections::BTreeMap;
use std::time::Instant;

use chrono::NaiveDate;
use csv::StringRecord;
use sqlx::{Connection, PgPool};

use super::rejects::Rejects;
use super::{ImportError, Source, Summary};
use crate::http::fields::parse_date;
use crate::slices::ingest::CalendarDay;
use crate::slices::ingest::store::dimensions::upsert_calendar;
use crate::tabular::Table;

/// When stores disagree on whether a day is a holiday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum HolidayRule {
    /// It is one if any store has it.
    Any,
    /// It is one if more than half of the stores have it.
    #[default]
    Most,
    /// It is one if all stores have it.
    All,
}

/// What the rows of one day say.
#[derive(Debug, Default)]
struct Votes {
    rows: usize,
    holidays: usize,
    name: Option<String>,
}

impl Votes {
    fn is_holiday(&self, rule: HolidayRule) -> bool {
        match rule {
            HolidayRule::Any => self.holidays > 0,
            HolidayRule::Most => self.holidays * 2 > self.rows,
            HolidayRule::All => self.holidays == self.rows,
        }
    }
}

/// Imports a file.
pub async fn import_calendar(
    pool: &PgPool,
    source: Source,
    rule: HolidayRule,
) -> Result<Summary, ImportError> {
    let started = Instant::now();
    let file = source.file.display().to_string();
    let read = tokio::task::spawn_blocking(move || read(&source));
    let (votes, mut summary, rejects) =
        read.await.map_err(|e| sqlx::Error::Io(std::io::Error::other(e)))??;
    let days: Vec<CalendarDay> = votes
        .iter()
        .map(|(date, votes)| {
            let is_holiday = votes.is_holiday(rule);
            CalendarDay { date: *date, is_holiday, holiday_name: votes.name.clone().filter(|_| is_holiday) }
        })
        .collect();
    if summary.read > 0 && days.is_empty() {
        return Err(ImportError::NothingUsable {
            file,
            rows: summary.read,
            first: rejects.first().unwrap_or_default().to_owned(),
            rejects: rejects.finish()?.unwrap_or_default().display().to_string(),
        });
    }
    let mut connection = pool.acquire().await?;
    let mut transaction = connection.begin().await?;
    upsert_calendar(&mut transaction, &days.iter().collect::<Vec<_>>()).await?;
    transaction.commit().await?;
    summary.written = days.len();
    summary.rejected = rejects.count();
    summary.note(
        "rows folded into days that several rows describe",
        summary.read - summary.rejected - days.len(),
    );
    let disagree = votes.values().filter(|votes| votes.holidays > 0 && votes.holidays < votes.rows).count();
    summary.note("days on which rows disagree about the holiday (--holiday-rule)", disagree);
    summary.note("holidays", days.iter().filter(|day| day.is_holiday).count());
    summary.rejects = rejects.finish()?;
    summary.elapsed = started.elapsed();
    Ok(summary)
}

fn read(source: &Source) -> Result<(BTreeMap<NaiveDate, Votes>, Summary, Rejects), ImportError> {
    let mut table = Table::open(&source.file, &source.format)?;
    let date = table.header.required(&["date"])?;
    let holiday = table.header.required(&["is_holiday", "is_public_holiday"])?;
    let name = table.header.optional(&["holiday_name"]);
    let used: Vec<usize> = [Some(date), Some(holiday), name].into_iter().flatten().collect();
    let mut summary = Summary { what: "calendar", unused: table.header.unused(&used), ..Summary::default() };
    let mut rejects = Rejects::new(&source.rejects, table.header.names());
    let mut votes: BTreeMap<NaiveDate, Votes> = BTreeMap::new();
    let mut record = StringRecord::new();
    while let Some(row) = table.next(&mut record)? {
        summary.read += 1;
        let cell = |at: usize| record.get(at).unwrap_or_default();
        let parsed = parse_date(cell(date)).map_err(|(_, text)| text).and_then(|day| {
            let flag = match cell(holiday) {
                "1" | "true" | "True" | "yes" => true,
                "0" | "false" | "False" | "no" => false,
                other => return Err(format!("the holiday flag `{other}` is neither 0 nor 1")),
            };
            let name = name.map(cell).filter(|name| !name.is_empty()).map(str::to_owned);
            match name.as_ref().map_or(0, |name| name.chars().count()) {
                0..=100 => Ok((day, flag, name)),
                length => Err(format!("the holiday's name has {length} characters, at most 100 are kept")),
            }
        });
        match parsed {
            Ok((day, flag, name)) => {
                let votes = votes.entry(day).or_default();
                votes.rows += 1;
                votes.holidays += usize::from(flag);
                votes.name = votes.name.take().or(name);
            }
            Err(reason) => {
                rejects.add(row, &record, &reason)?;
                match summary.reasons.first_mut() {
                    Some((_, count)) => *count += 1,
                    None => summary.reasons.push(("a value that does not fit".to_owned(), 1)),
                }
            }
        }
        if summary.read.is_multiple_of(4096) {
            source.progress.tell(&table);
        }
    }
    source.progress.tell(&table);
    Ok((votes, summary, rejects))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_that_disagree() {
        let votes = |holidays| Votes { rows: 4, holidays, name: None };
        let holidays = |rule| (0..=4).map(|n| votes(n).is_holiday(rule)).collect::<Vec<_>>();
        assert_eq!(holidays(HolidayRule::Any), [false, true, true, true, true]);
        assert_eq!(holidays(HolidayRule::Most), [false, false, false, true, true]);
        assert_eq!(holidays(HolidayRule::All), [false, false, false, false, true]);
    }
}
