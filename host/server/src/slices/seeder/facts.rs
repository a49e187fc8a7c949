//! Makes facts on the compute threads and hands them to the database, in the order of the contract: calendar, signals,
//! prices, promotions, inventory, sales, returns, deliveries.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use retailcast_core::seeder::inventory::Stockouts;
use retailcast_core::seeder::prices::{PriceBook, PriceWindow, price_windows};
use retailcast_core::seeder::promotions::{Promotion, PromotionBook, promotions};
use retailcast_core::seeder::{Parameters, Rejected, Shop, World, calendar, markdowns, signals};
use retailcast_runtime::{Call, ComputePool, Lane};
use sqlx::PgConnection;

use super::service::{Counts, SeedError};
use super::store::{self, Bulk, DeliveryRow, ReturnRow};
use super::text::Lines;
use crate::compute::{self, ComputeError};

/// Most store and product days of a run: more would take hours and a hundred gigabytes.
const MOST_PAIR_DAYS: usize = 200_000_000;
/// How long to wait for room in the queue of the compute threads.
const PATIENCE: Duration = Duration::from_millis(20);

/// Hears how far a run is: what it is about to write, and how many of how many pairs are made.
#[derive(Clone)]
pub struct Progress(Arc<dyn Fn(&'static str, u64, u64) + Send + Sync>);

impl Progress {
    /// Calls this.
    pub fn new(heard: impl Fn(&'static str, u64, u64) + Send + Sync + 'static) -> Self {
        Self(Arc::new(heard))
    }

    /// Nobody listens.
    pub fn silent() -> Self {
        Self::new(|_, _, _| {})
    }

    fn tell(&self, what: &'static str, done: usize, all: usize) {
        (self.0)(what, done as u64, all as u64);
    }
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Progress")
    }
}

/// One run's writer.
pub(super) struct Facts<'a> {
    pub(super) connection: &'a mut PgConnection,
    pub(super) compute: &'a ComputePool,
    pub(super) batch: usize,
    pub(super) progress: &'a Progress,
    /// Whether earlier windows are closed where this one begins.
    pub(super) append: bool,
}

/// What is made before the first row of a pair.
struct Prepared {
    weather: Vec<Vec<f64>>,
    macro_index: Vec<f64>,
    stockouts: Stockouts,
    prices: Vec<PriceWindow>,
    promotions: Vec<Promotion>,
}

/// What a few pairs gave, ready to be sent.
#[derive(Default)]
struct Part {
    pairs: usize,
    rows: usize,
    text: Vec<u8>,
    returns: Vec<ReturnRow>,
    deliveries: Vec<DeliveryRow>,
}

impl Facts<'_> {
    /// Writes everything.
    pub(super) async fn write(
        mut self,
        seed: u64,
        parameters: Parameters,
        shop: Shop,
    ) -> Result<Counts, SeedError> {
        let window = parameters.window;
        check_size(&shop, window.days())?;
        self.progress.tell("calendar, prices, promotions", 0, shop.pairs());
        let days = calendar::calendar(window, &parameters.holidays);
        store::insert_calendar(self.connection, &days, self.batch).await?;
        store::hold_days(self.connection, window).await?;

        let (made_for, with) = (shop.clone(), parameters.clone());
        let prepared = self.computed(move || prepare(seed, &with, &made_for)).await?;
        let signals = signal_rows(&prepared, &shop, window);
        store::insert_signals(self.connection, &signals, self.batch).await?;
        if self.append {
            store::close_open_prices(self.connection, &prepared.prices, window.first()).await?;
        }
        store::insert_prices(self.connection, &prepared.prices, self.batch).await?;
        store::insert_promotions(self.connection, &prepared.promotions, self.batch).await?;
        let mut counts = Counts {
            stores: shop.stores.len() as i64,
            products: shop.products.len() as i64,
            calendar: window.days() as i64,
            exogenous_signals: signals.len() as i64,
            price_history: prepared.prices.len() as i64,
            promotions: prepared.promotions.len() as i64,
            ..Counts::default()
        };

        // Read back: what was there before counts as well, and where it collided, it stayed.
        let prices = PriceBook::new(store::prices_in(self.connection, window).await?);
        let promoted = PromotionBook::new(store::promotions_in(self.connection, window).await?);
        let stockouts = prepared.stockouts;
        let world = self
            .computed(move || World::new(seed, parameters, shop, stockouts, prices, promoted))
            .await
            .map(Arc::new)?;

        let (stock, _, _) = self.bulk(&world, &store::INVENTORY, stock_of).await?;
        let (sales, returns, deliveries) = self.bulk(&world, &store::SALES, sales_of).await?;
        store::insert_returns(self.connection, &returns, self.batch).await?;
        store::insert_deliveries(self.connection, &deliveries, self.batch).await?;
        counts.inventory = stock as i64;
        counts.sales = sales as i64;
        counts.sales_returns = returns.len() as i64;
        counts.replenishment_events = deliveries.len() as i64;
        Ok(counts)
    }

    async fn computed<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, SeedError> {
        Ok(compute::run(self.compute, &Lane::host(), &Call::default(), work).await?)
    }

    /// Makes rows of all pairs, a few pairs at a time on every compute thread, and sends them in order of the pairs
    /// while the next ones are made.
    async fn bulk(
        &mut self,
        world: &Arc<World>,
        table: &Bulk,
        make: fn(&World, &Lines, Range<usize>) -> Result<Part, Rejected>,
    ) -> Result<(usize, Vec<ReturnRow>, Vec<DeliveryRow>), SeedError> {
        let (pairs, window) = (world.shop().pairs(), world.parameters().window);
        let lines = Arc::new(Lines::new(window));
        let step = self.batch.div_ceil(window.days());
        let parts = (0..pairs).step_by(step).map(|first| first..(first + step).min(pairs));
        let compute = self.compute;
        let mut ready = stream::iter(parts)
            .map(|part| {
                let (world, lines) = (Arc::clone(world), Arc::clone(&lines));
                patiently(compute, move || make(&world, &lines, part.clone()))
            })
            // One more than there are threads, so that none waits for us.
            .buffered(compute.threads() + 1);

        let mut copy = store::open(self.connection, table).await?;
        let (mut rows, mut done) = (0, 0);
        let (mut returns, mut deliveries) = (Vec::new(), Vec::new());
        loop {
            let part = match ready.try_next().await {
                Ok(Some(Ok(part))) => part,
                Ok(None) => break,
                failed => {
                    // The transaction is rolled back anyway; this only leaves the connection usable.
                    copy.abort("no more rows can be made").await?;
                    return Err(match failed {
                        Ok(Some(Err(rejected))) => rejected.into(),
                        Err(error) => error.into(),
                        Ok(_) => SeedError::Compute(ComputeError::Lost),
                    });
                }
            };
            copy.send(part.text).await?;
            rows += part.rows;
            done += part.pairs;
            returns.extend(part.returns);
            deliveries.extend(part.deliveries);
            self.progress.tell(table.name, done, pairs);
        }
        copy.finish().await?;
        store::take_over(self.connection, table).await?;
        Ok((rows, returns, deliveries))
    }
}

/// Waits for room in the queue instead of giving up a run that has come this far.
async fn patiently<T: Send + 'static>(
    pool: &ComputePool,
    work: impl Fn() -> T + Clone + Send + 'static,
) -> Result<T, ComputeError> {
    loop {
        match compute::run(pool, &Lane::host(), &Call::default(), work.clone()).await {
            Err(ComputeError::Busy(_)) => tokio::time::sleep(PATIENCE).await,
            done => return done,
        }
    }
}

fn check_size(shop: &Shop, days: usize) -> Result<(), Rejected> {
    let size = shop.pairs().saturating_mul(days);
    if size <= MOST_PAIR_DAYS {
        return Ok(());
    }
    Err(Rejected(format!(
        "{} stores, {} products and {days} days are {size} series days; at most {MOST_PAIR_DAYS} are made at once",
        shop.stores.len(),
        shop.products.len()
    )))
}

fn prepare(seed: u64, parameters: &Parameters, shop: &Shop) -> Prepared {
    let (window, features) = (parameters.window, &parameters.features);
    let with_signals = features.temperature_sensitivity.is_some();
    let stores = if with_signals { shop.stores.len() } else { 0 };
    let pairs: Vec<_> = (0..shop.pairs()).map(|index| shop.pair(index)).collect();
    let stockouts =
        Stockouts::draw(seed, pairs.into_iter(), window.days(), parameters.retail.stockout_probability);
    let mut prices = price_windows(seed, shop, window);
    let mut made = promotions(seed, shop, window, parameters.retail.promotion_probability, features.bundles);
    if let Some(trigger) = features.markdowns {
        for (promotion, price) in markdowns(trigger, shop, window, &stockouts, features.lifecycle.is_some()) {
            made.push(promotion);
            prices.extend(price);
        }
    }
    Prepared {
        weather: (0..stores).map(|store| signals::weather(seed, store, window)).collect(),
        macro_index: if with_signals { signals::macro_index(seed, window) } else { Vec::new() },
        stockouts,
        prices,
        promotions: made,
    }
}

fn signal_rows(
    prepared: &Prepared,
    shop: &Shop,
    window: retailcast_core::seeder::Window,
) -> Vec<store::NewSignal> {
    let weather = shop.stores.iter().zip(&prepared.weather).flat_map(|(store, days)| {
        let row = |(value, day)| store::NewSignal { day, name: signals::WEATHER, store: Some(*store), value };
        days.iter().copied().zip(window.iter()).map(row)
    });
    let economy = prepared.macro_index.iter().copied().zip(window.iter());
    let economy =
        economy.map(|(value, day)| store::NewSignal { day, name: signals::MACRO, store: None, value });
    weather.chain(economy).collect()
}

#[allow(clippy::unnecessary_wraps, reason = "both makers have one type")]
fn stock_of(world: &World, lines: &Lines, pairs: Range<usize>) -> Result<Part, Rejected> {
    let mut part = Part { pairs: pairs.len(), ..Part::default() };
    for pair in pairs.map(|index| world.shop().pair(index)) {
        let (store, product) = (world.shop().stores[pair.store], world.shop().products[pair.product].id);
        let days = world.stock(pair);
        part.rows += days.len();
        lines.stock(&mut part.text, store, product, &days);
    }
    Ok(part)
}

fn sales_of(world: &World, lines: &Lines, pairs: Range<usize>) -> Result<Part, Rejected> {
    let window = world.parameters().window;
    let mut part = Part { pairs: pairs.len(), ..Part::default() };
    for pair in pairs.map(|index| world.shop().pair(index)) {
        let (store, product) = (world.shop().stores[pair.store], world.shop().products[pair.product].id);
        let sales = world.sales(pair)?;
        part.rows += sales.len();
        lines.sales(&mut part.text, store, product, &sales);
        let returns = world.returns(pair, &sales).into_iter();
        part.returns.extend(returns.map(|made| ReturnRow {
            store,
            product,
            day: window.day(made.day),
            quantity: made.quantity,
            reason: made.reason,
        }));
        let deliveries = world.deliveries(pair)?.into_iter();
        part.deliveries.extend(deliveries.map(|made| DeliveryRow {
            store,
            product,
            day: window.day(made.day),
            lead_time: made.lead_time,
            ordered: made.ordered,
            received: made.received,
        }));
    }
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use retailcast_core::seeder::Product;

    #[test]
    fn a_run_that_would_never_end_is_refused() {
        let product = |id| Product { id, base_price: None, launch: None, discontinue: None };
        let shop = Shop { stores: (0..100).collect(), products: (0..500).map(product).collect() };
        assert_eq!(check_size(&shop, 4_000), Ok(()));
        assert!(check_size(&shop, 4_001).unwrap_err().0.contains("200050000"));
    }
}
