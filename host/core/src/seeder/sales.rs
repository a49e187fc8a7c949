//! Sales of a pair: the demand formula (`seeder.md` §6) with everything that depends on store and product.

use super::channels::Channel;
use super::inventory::{Stock, Stockouts, inventory};
use super::parameters::{Parameters, StockoutBehavior};
use super::prices::PriceBook;
use super::promotions::PromotionBook;
use super::replenishment::{Delivery, deliveries};
use super::returns::{Return, returns};
use super::{
    Cents, MOST_AMOUNT, Pair, Product, Rejected, Shop, Stream, demand, lifecycle, signals, sparsity,
};
use crate::Day;

/// A day's sales.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sale {
    /// Number of the day in the window.
    pub day: usize,
    /// Units.
    pub quantity: i32,
    /// Price of a unit.
    pub price: Cents,
    /// Where.
    pub channel: Channel,
}

/// Everything that facts depend on. Pairs can be asked for in any order and by any number of threads.
#[derive(Debug)]
pub struct World {
    seed: u64,
    parameters: Parameters,
    shop: Shop,
    stockouts: Stockouts,
    prices: PriceBook,
    promotions: PromotionBook,
    /// Whether a pair has sales at all.
    active: Vec<bool>,
    /// What of demand depends on the day alone.
    daily: Vec<f64>,
    /// Demand factor of the weather by store and day; no stores when it has none.
    weather: Vec<Vec<f64>>,
    /// For every product, for each of its groups the positions of the other members.
    substitutes: Vec<Vec<Vec<usize>>>,
}

impl World {
    /// Prepares what all pairs share.
    pub fn new(
        seed: u64,
        parameters: Parameters,
        shop: Shop,
        stockouts: Stockouts,
        prices: PriceBook,
        promotions: PromotionBook,
    ) -> Self {
        let sensitivity = parameters.features.temperature_sensitivity.filter(|s| *s != 0.0);
        let weather = sensitivity.map_or_else(Vec::new, |sensitivity| {
            let factor = |degrees: f64| (1.0 + sensitivity * (degrees - signals::MEAN)).max(0.0);
            let store =
                |store| signals::weather(seed, store, parameters.window).into_iter().map(factor).collect();
            (0..shop.stores.len()).map(store).collect()
        });
        Self {
            active: sparsity::active(seed, shop.pairs(), &parameters.sparsity),
            daily: demand::daily(&parameters),
            substitutes: substitutes(&parameters, &shop),
            weather,
            seed,
            parameters,
            shop,
            stockouts,
            prices,
            promotions,
        }
    }

    /// Stores and products.
    pub fn shop(&self) -> &Shop {
        &self.shop
    }

    /// The parameters.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The stock of a pair on every day.
    pub fn stock(&self, pair: Pair) -> Vec<Stock> {
        inventory(self.seed, pair, self.parameters.window.days(), &self.stockouts)
    }

    /// The returns of a pair's sales; none when the feature is off.
    pub fn returns(&self, pair: Pair, sales: &[Sale]) -> Vec<Return> {
        if !self.parameters.features.returns {
            return Vec::new();
        }
        returns(self.seed, pair, self.parameters.window.days(), sales)
    }

    /// The deliveries of a pair; none when the feature is off.
    pub fn deliveries(&self, pair: Pair) -> Result<Vec<Delivery>, Rejected> {
        let Some(mean) = self.parameters.features.lead_time else { return Ok(Vec::new()) };
        let base = self.parameters.time_series.base_demand;
        deliveries(self.seed, pair, self.parameters.window.days(), base, mean)
    }

    /// The sales of a pair, in order of the days.
    pub fn sales(&self, pair: Pair) -> Result<Vec<Sale>, Rejected> {
        if !self.active[pair.index] {
            return Ok(Vec::new());
        }
        let window = self.parameters.window;
        let (store, product) = (self.shop.stores[pair.store], &self.shop.products[pair.product]);
        let prices = self.prices.curve(store, product, window);
        let promoted = self.promotions.days(store, product.id, window);
        let gaps = sparsity::gaps(self.seed, pair, window.days(), &self.parameters.sparsity);
        let mut stream = Stream::of(self.seed, "sale", &pair.place());
        let mut channels = Stream::of(self.seed, "channel", &pair.place());
        let mut sales = Vec::with_capacity(window.days());
        for day in (0..window.days()).filter(|day| !gaps[*day]) {
            let out = self.stockouts.at(pair.index, day);
            if out && self.parameters.retail.stockout_behavior == StockoutBehavior::Zero {
                continue;
            }
            let lift = if promoted[day] { self.parameters.retail.promotion_lift } else { 1.0 };
            let expected = self.daily[day]
                * lift
                * self.price_factor(product, prices[day])
                * self.age_factor(product, window.day(day))
                * self.weather.get(pair.store).map_or(1.0, |days| days[day])
                * self.substitution(pair, day, out);
            let quantity = self.noisy(expected, &mut stream).round_ties_even().max(0.0);
            let mut sale = Sale { day, quantity: 0, price: prices[day], channel: Channel::InStore };
            let mut factor = 1.0;
            if let Some(options) = &self.parameters.features.channels {
                (sale.channel, factor) = options.draw(&mut channels, promoted[day]);
            }
            sale.quantity = checked((quantity * factor).round_ties_even(), prices[day], window.day(day))?;
            if !out || sale.quantity > 0 {
                sales.push(sale);
            }
        }
        Ok(sales)
    }

    fn price_factor(&self, product: &Product, price: Cents) -> f64 {
        match product.base_price {
            // A price rise beyond what elasticity bears ends demand; it does not turn it around.
            Some(base) if base > 0 => {
                let change = (price - base) as f64 / base as f64;
                (1.0 + self.parameters.retail.price_elasticity * change).max(0.0)
            }
            _ => 1.0,
        }
    }

    /// The life cycle, or without it the ramp of a product with a launch date.
    fn age_factor(&self, product: &Product, day: Day) -> f64 {
        if self.parameters.features.lifecycle.is_some() {
            return lifecycle::stage(product, day).1;
        }
        let ramp = self.parameters.retail.new_product_ramp_days;
        match product.launch {
            Some(launch) if ramp > 0 => (f64::from(day - launch) / f64::from(ramp)).clamp(0.0, 1.0),
            _ => 1.0,
        }
    }

    /// What moves here from products that are out of stock.
    fn substitution(&self, pair: Pair, day: usize, out: bool) -> f64 {
        let Some(options) = self.parameters.features.substitution.as_ref().filter(|_| !out) else {
            return 1.0;
        };
        let first = pair.index - pair.product;
        let group = |others: &Vec<usize>| {
            let missing = others.iter().filter(|other| self.stockouts.at(first + **other, day)).count();
            options.lift * missing as f64 / (others.len() - missing + 1) as f64
        };
        1.0 + self.substitutes[pair.product].iter().map(group).sum::<f64>()
    }

    fn noisy(&self, expected: f64, stream: &mut Stream) -> f64 {
        let series = &self.parameters.time_series;
        let mut demand = expected;
        if series.noise_sigma > 0.0 {
            demand *= 1.0 + stream.normal(0.0, series.noise_sigma);
        }
        if stream.chance(series.anomaly_probability) {
            let up = stream.chance(0.5);
            demand = if up { demand * series.anomaly_magnitude } else { demand / series.anomaly_magnitude };
        }
        demand
    }
}

/// A quantity that the columns hold, with its price.
fn checked(quantity: f64, price: Cents, day: Day) -> Result<i32, Rejected> {
    let amount = quantity * price as f64;
    // A comparison that is false for NaN, too.
    let fits = quantity <= f64::from(i32::MAX) && amount <= MOST_AMOUNT as f64;
    if !fits {
        return Err(Rejected(format!(
            "the parameters give {quantity:.0} units on {day}, more than a day's sales can hold"
        )));
    }
    Ok(quantity as i32)
}

fn substitutes(parameters: &Parameters, shop: &Shop) -> Vec<Vec<Vec<usize>>> {
    let mut of = vec![Vec::new(); shop.products.len()];
    for group in parameters.features.substitution.iter().flat_map(|options| &options.groups) {
        let known = shop.products.iter().enumerate().filter(|(_, product)| group.contains(&product.id));
        let members: Vec<usize> = known.map(|(i, _)| i).collect();
        for member in &members {
            of[*member].push(members.iter().copied().filter(|other| other != member).collect());
        }
    }
    of
}

#[cfg(test)]
mod tests;
