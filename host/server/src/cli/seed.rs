//! `retailcast seed`.

mod file;

use super::stdout::say;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{NaiveDate, Utc};
use indicatif::{ProgressBar, ProgressStyle};
use retailcast_core::Day;
use retailcast_core::seeder::{Parameters, Scenario, Window};
use sqlx::PgPool;

use super::{CliError, with_database};
use crate::config::Config;
use crate::slices::seeder::{CheckStatus, Counts, Created, Progress, Scope, SeedError, SeedOrder, Seeder};
use crate::{app, compute};

#[derive(Debug, clap::Subcommand)]
#[command(
    after_help = "Synthetic data for demonstrations and tests. The same seed and parameters on the same database give \
    the same data. In production (app.env) nothing is written unless seeder.allow_production says so."
)]
pub(super) enum Command {
    /// Make stores, products, a calendar and facts
    Generate(Generate),
    /// Make facts of further days for the stores and products that are there
    Append {
        /// First day
        #[arg(long)]
        start_date: NaiveDate,
        /// Last day
        #[arg(long)]
        end_date: NaiveDate,
        /// Seed
        #[arg(long, default_value_t = 43)]
        seed: u64,
        #[command(flatten)]
        batch: Batch,
    },
    /// Delete facts, or facts and dimensions, whoever made them
    Delete {
        /// What: `dimensions` takes the facts along
        #[arg(long, default_value = "all", value_parser = scope)]
        scope: Scope,
        /// Only report
        #[arg(long)]
        dry_run: bool,
        /// Yes, delete (seeder.require_confirm = false asks for nothing)
        #[arg(long)]
        confirm: bool,
    },
    /// Show how much data is there
    Status,
    /// Check the data; exit code 1 when a check fails
    Verify,
}

/// What to generate.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The file of --parameters is TOML (not YAML) with the groups of the parameters, each key optional; it \
    overrides the scenario, and options override it:\n\n\
    stores = 10\n\
    products = 50\n\
    start_date = \"2026-01-01\"\n\
    end_date = \"2026-12-31\"\n\n\
    [lists]           # regions, store_types, categories, brands: arrays of names\n\
    [time_series]     # base_demand, trend (none, linear, exponential), trend_slope, weekly (7 factors, Monday first),\n                  \
    # monthly (a table: 11 = 1.3), noise_sigma, anomaly_probability, anomaly_magnitude\n\
    [retail]          # promotion_lift, stockout_behavior (zero, backlog), price_elasticity, new_product_ramp_days,\n                  \
    # promotion_probability, stockout_probability\n\
    [sparsity]        # missing_combinations_pct, random_gaps_per_series, gap_min_days, gap_max_days\n\
    [[holidays]]      # date, name, multiplier"
)]
pub(super) struct Generate {
    /// A preset
    #[arg(long, value_parser = scenario)]
    scenario: Option<Scenario>,
    /// Seed [default: seeder.default_seed]
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    seed: Option<u64>,
    /// Stores to make, 1 to 100 [default: the scenario's, without one seeder.default_stores]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=100))]
    stores: Option<u64>,
    /// Products to make, 1 to 500 [default: the scenario's, without one seeder.default_products]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=500))]
    products: Option<u64>,
    /// First day [default: the scenario's]
    #[arg(long)]
    start_date: Option<NaiveDate>,
    /// Last day [default: the scenario's]
    #[arg(long)]
    end_date: Option<NaiveDate>,
    /// Share of store and product pairs without sales, 0 to 1; 0 keeps the scenario's
    #[arg(long, default_value_t = 0.0, value_parser = share)]
    sparsity: f64,
    /// TOML file with parameters, see below
    #[arg(long, value_name = "FILE")]
    parameters: Option<PathBuf>,
    #[command(flatten)]
    batch: Batch,
    /// Only report
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct Batch {
    /// Rows handed to the database at a time, 1 to 10000 [default: seeder.batch_size]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    batch_size: Option<u64>,
}

fn scope(text: &str) -> Result<Scope, String> {
    Scope::named(text).ok_or_else(|| format!("must be one of {}", Scope::NAMES.join(", ")))
}

fn scenario(text: &str) -> Result<Scenario, String> {
    Scenario::named(text).ok_or_else(|| {
        let names: Vec<&str> = Scenario::ALL.iter().map(|scenario| scenario.name()).collect();
        format!("must be one of {}", names.join(", "))
    })
}

fn share(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| "must be 0 to 1".to_owned())
}

pub(super) async fn run(config: &Config, command: Command) -> Result<(), CliError> {
    match command {
        Command::Generate(options) => {
            // What cannot be is refused before a database is started for it.
            let order = order(config, &options)?;
            with_seeder(config, Some(&options.batch), async |seeder| {
                let (progress, bar) = progress(config);
                let created = seeder.generate(order, &progress).await;
                bar.finish_and_clear();
                print_created(&created.map_err(|e| error(&e))?);
                Ok(())
            })
            .await
        }
        Command::Append { start_date, end_date, seed, batch } => {
            let window = Window::new(Day::from_date(start_date), Day::from_date(end_date))
                .ok_or_else(|| CliError::Refused(inverted(start_date, end_date)))?;
            with_seeder(config, Some(&batch), async |seeder| {
                let (progress, bar) = progress(config);
                let created = seeder.append(seed, window, &progress).await;
                bar.finish_and_clear();
                print_created(&created.map_err(|e| error(&e))?);
                Ok(())
            })
            .await
        }
        Command::Delete { scope, dry_run, confirm } => {
            if config.seeder.require_confirm && !confirm && !dry_run {
                return Err(CliError::Refused(format!(
                    "this deletes {} of the database; add --confirm to do it, or --dry-run to see what would go",
                    if scope == Scope::Facts { "all facts" } else { "all facts and dimensions" }
                )));
            }
            with_seeder(config, None, async |seeder| {
                let deleted = seeder.delete(scope, dry_run).await.map_err(|e| error(&e))?;
                for (table, rows) in &deleted.rows {
                    say!("{table:24} {rows:>10} {}", if dry_run { "would be deleted" } else { "deleted" });
                }
                Ok(())
            })
            .await
        }
        Command::Status => with_seeder(config, None, status).await,
        Command::Verify => with_seeder(config, None, verify).await,
    }
}

fn inverted(first: impl std::fmt::Display, last: impl std::fmt::Display) -> String {
    format!("the last day, {last}, is before the first, {first}")
}

/// What the options ask for.
fn order(config: &Config, options: &Generate) -> Result<SeedOrder, CliError> {
    let today = Day::from_date(Utc::now().date_naive());
    let mut parameters = match options.scenario {
        Some(scenario) => scenario.parameters(today),
        None => Parameters {
            stores: config.seeder.default_stores,
            products: config.seeder.default_products,
            ..Scenario::RetailStandard.parameters(today)
        },
    };
    if let Some(path) = &options.parameters {
        file::read(path)?.apply(&mut parameters).map_err(CliError::Refused)?;
    }
    parameters.stores = options.stores.map_or(parameters.stores, |stores| stores as usize);
    parameters.products = options.products.map_or(parameters.products, |products| products as usize);
    let first = options.start_date.map_or(parameters.window.first(), Day::from_date);
    let last = options.end_date.map_or(parameters.window.last(), Day::from_date);
    parameters.window = Window::new(first, last).ok_or_else(|| CliError::Refused(inverted(first, last)))?;
    if options.sparsity > 0.0 {
        parameters.sparsity.missing_combinations = options.sparsity;
    }
    let seed = options.seed.unwrap_or(config.seeder.default_seed);
    Ok(SeedOrder { seed, parameters, dry_run: options.dry_run })
}

async fn with_seeder(
    config: &Config,
    batch: Option<&Batch>,
    work: impl AsyncFnOnce(Seeder) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let mut config = config.clone();
    if let Some(rows) = batch.and_then(|batch| batch.batch_size) {
        config.seeder.batch_size = rows as usize;
    }
    with_database(&config, async |pool: &PgPool| {
        let compute = compute::start_alone(config.compute.threads, config.compute.queue)
            .map_err(|e| CliError::Failed(format!("cannot start the compute threads: {e}")))?;
        work(app::seeder(&config, pool.clone(), Arc::clone(&compute))).await
    })
    .await
}

fn error(error: &SeedError) -> CliError {
    match error {
        SeedError::Blocked | SeedError::NothingThere | SeedError::Rejected(_) => CliError::refused(error),
        SeedError::Running | SeedError::Compute(_) | SeedError::Database(_) => CliError::failed(error),
    }
}

fn progress(config: &Config) -> (Progress, ProgressBar) {
    if !config.seeder.enable_progress {
        return (Progress::silent(), ProgressBar::hidden());
    }
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {elapsed}  {msg}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(1).with_style(style);
    let shown = bar.clone();
    let progress = Progress::new(move |what, done, all| {
        shown.set_message(what);
        shown.set_length(all);
        shown.set_position(done);
    });
    (progress, bar)
}

fn print_created(created: &Created) {
    if created.dry_run {
        say!("Dry run, nothing is written. It would be:");
    }
    print_counts(&created.counts);
    say!("{:22} {:>10}", "seed", created.seed);
    if !created.dry_run {
        say!("{:22} {:>10.2}", "seconds", created.seconds);
    }
}

fn print_counts(counts: &Counts) {
    for (name, rows) in [
        ("stores", counts.stores),
        ("products", counts.products),
        ("calendar", counts.calendar),
        ("sales", counts.sales),
        ("inventory", counts.inventory),
        ("price_history", counts.price_history),
        ("promotions", counts.promotions),
        ("exogenous_signals", counts.exogenous_signals),
        ("sales_returns", counts.sales_returns),
        ("replenishment_events", counts.replenishment_events),
    ] {
        say!("{name:22} {rows:>10}");
    }
}

async fn status(seeder: Seeder) -> Result<(), CliError> {
    let status = seeder.status().await.map_err(|e| error(&e))?;
    print_counts(&status.counts);
    if let Some((first, last)) = status.sales {
        say!("{:22} {first} to {last}", "sales from");
    }
    if let Some(moment) = status.last_updated {
        say!("{:22} {}", "last updated", moment.format("%Y-%m-%d %H:%M:%S UTC"));
    }
    Ok(())
}

async fn verify(seeder: Seeder) -> Result<(), CliError> {
    let checks = seeder.verify().await.map_err(|e| error(&e))?;
    let mut failed = 0;
    for check in &checks {
        say!("{:8} {:26} {}", check.status.name(), check.name, check.message);
        for detail in check.details.iter().flatten() {
            say!("{:8} {:26} - {detail}", "", "");
        }
        failed += usize::from(check.status == CheckStatus::Failed);
    }
    if failed > 0 {
        return Err(CliError::Failed(format!("{failed} of {} checks failed", checks.len())));
    }
    Ok(())
}
