//! `retailcast import`.

use super::stdout;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};

use super::{CliError, with_database};
use crate::config::Config;
use crate::import::{
    self, FractionalQuantity, HolidayRule, ImportError, MissingPrice, Progress, PromoFlag, SalesOptions,
    Source, Summary, TooManyDecimals, UnknownDays, UnknownKeys,
};
use crate::tabular::{Columns, Format};

/// Options.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Files are CSV, gzipped CSV or Parquet, told by their content. A file is imported whole or not at all; \
    rows that cannot be used go to the rejects file with the reason.\n\n\
    Example, in this order:\n  \
    retailcast import stores stores.csv\n  \
    retailcast import products products.csv\n  \
    retailcast import calendar calendar.csv.gz\n  \
    retailcast import sales sales_daily.csv.gz"
)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Stores: store_code; name, region, city, store_type
    Stores {
        #[command(flatten)]
        file: FileArgs,
    },
    /// Products: sku; name, category, subcategory, brand, base_price, base_cost, pack_size, lifecycle_stage, launch_date, discontinue_date
    Products {
        #[command(flatten)]
        file: FileArgs,
    },
    /// Days: date, is_holiday (or is_public_holiday); holiday_name. Several rows of a day (one per store) become one
    Calendar {
        #[command(flatten)]
        file: FileArgs,
        /// When rows of a day disagree about the holiday
        #[arg(long, value_enum, default_value_t)]
        holiday_rule: HolidayRule,
    },
    /// Daily sales: date, store_code, sku, quantity; unit_price, total_amount, promo
    Sales {
        #[command(flatten)]
        file: FileArgs,
        /// Quantities with a fraction
        #[arg(long, value_enum, default_value_t)]
        fractional_quantity: FractionalQuantity,
        /// Rows without a unit price
        #[arg(long, value_enum, default_value_t)]
        missing_price: MissingPrice,
        /// Prices and amounts with more than 2 decimals
        #[arg(long, value_enum, default_value_t)]
        too_many_decimals: TooManyDecimals,
        /// A column `promo` that flags days with a promotion
        #[arg(long, value_enum, default_value_t)]
        promo_flag: PromoFlag,
        /// Days that the calendar does not have
        #[arg(long, value_enum, default_value_t)]
        unknown_days: UnknownDays,
        /// Stores and products that the database does not have
        #[arg(long, value_enum, default_value_t)]
        unknown_keys: UnknownKeys,
    },
}

#[derive(Debug, clap::Args)]
struct FileArgs {
    /// The file
    file: PathBuf,
    /// The file's name of a column of ours; may be repeated, for example --column brand=vendor
    #[arg(long = "column", value_name = "OURS=THEIRS", value_parser = column)]
    columns: Vec<(String, String)>,
    /// Between CSV cells; `tab` for tabs
    #[arg(long, default_value = ",", value_parser = delimiter)]
    delimiter: u8,
    /// Where rejected rows go [default: FILE's name with .rejects.csv, in this folder]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
}

fn column(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((ours, theirs)) if !ours.is_empty() && !theirs.is_empty() => {
            Ok((ours.to_owned(), theirs.to_owned()))
        }
        _ => Err("must be OURS=THEIRS, for example brand=vendor".to_owned()),
    }
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        _ if text == "tab" => Ok(b'\t'),
        [byte] if byte.is_ascii() => Ok(*byte),
        _ => Err("must be one ASCII character, or `tab`".to_owned()),
    }
}

impl FileArgs {
    fn source(self, bar: &ProgressBar) -> Source {
        let bar = bar.clone();
        Source {
            rejects: self.rejects.unwrap_or_else(|| default_rejects(&self.file)),
            file: self.file,
            format: Format {
                columns: Columns(self.columns.into_iter().collect()),
                delimiter: self.delimiter,
                ..Format::default()
            },
            progress: Progress::new(move |done, all| {
                bar.set_length(all);
                bar.set_position(done);
            }),
        }
    }
}

fn default_rejects(file: &Path) -> PathBuf {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.split('.').next().unwrap_or_default();
    PathBuf::from(format!("{stem}.rejects.csv"))
}

pub(super) async fn run(config: &Config, args: Args) -> Result<(), CliError> {
    let bar = bar();
    let summary = with_database(config, async |pool| {
        let summary: Result<Summary, ImportError> = match args.what {
            What::Stores { file } => import::import_stores(pool, file.source(&bar)).await,
            What::Products { file } => import::import_products(pool, file.source(&bar)).await,
            What::Calendar { file, holiday_rule } => {
                import::import_calendar(pool, file.source(&bar), holiday_rule).await
            }
            What::Sales {
                file,
                fractional_quantity,
                missing_price,
                too_many_decimals,
                promo_flag,
                unknown_days,
                unknown_keys,
            } => {
                let options = SalesOptions {
                    fractional_quantity,
                    missing_price,
                    too_many_decimals,
                    promo_flag,
                    unknown_days,
                    unknown_keys,
                };
                import::import_sales(pool, file.source(&bar), options).await
            }
        };
        summary.map_err(|e| error(&e))
    })
    .await;
    bar.finish_and_clear();
    stdout::print(format_args!("{}", summary?));
    Ok(())
}

pub(super) fn error(error: &ImportError) -> CliError {
    if error.is_refusal() { CliError::refused(error) } else { CliError::failed(error) }
}

fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(1).with_style(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_are_named_after_the_file() {
        assert_eq!(
            default_rejects(Path::new("/data/sales_daily.csv.gz")),
            Path::new("sales_daily.rejects.csv")
        );
    }

    #[test]
    fn delimiters_and_columns() {
        assert_eq!(delimiter(";"), Ok(b';'));
        assert_eq!(delimiter("tab"), Ok(b'\t'));
        assert!(delimiter(";;").is_err() && delimiter("ä").is_err());
        assert_eq!(column("brand=vendor"), Ok(("brand".to_owned(), "vendor".to_owned())));
        assert!(column("brand").is_err());
    }
}
